//! Whether a key is open to one image and to nothing else that was not approved, by what is live in Google Cloud.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use console::hint::Hinted;
use content::Digest;
use gcp::Cloud;
use grant::inspect::{Inspection, NoProviderDescribed, Observation};
use grant::{Grant, Verdicts};

/// What the sender knows: who the key was opened to, and which images it approved.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The grant that the key was opened by.
    pub grant: &'a Grant,
    /// The verdicts; without them, the image that the data is for is the only approved one.
    pub verdicts: Option<&'a Verdicts>,
    /// The time.
    pub now: DateTime<Utc>,
}

/// Everything that was found about the key, its policy and that of its ring, and the pool of the grant.
///
/// # Errors
/// The grant describes no provider, or something may not be read.
pub async fn observe(
    cloud: &Cloud,
    known: &Known<'_>,
    image: &Digest,
) -> Result<Vec<Observation>, Hinted> {
    let alone = Verdicts {
        approved: BTreeSet::from([*image]),
        refused: BTreeSet::new(),
    };
    let inspection = Inspection {
        grant: known.grant,
        verdicts: Some(known.verdicts.unwrap_or(&alone)),
        now: known.now,
    };
    inspection.granted().map_err(undescribed)?;
    let live = cloud.live(known.grant).await?;
    inspection.for_image(&live, image).map_err(undescribed)
}

fn undescribed(error: NoProviderDescribed) -> Hinted {
    Hinted::from_error(error)
        .hinting("policies/grant.toml is an example with every entry explained")
}
