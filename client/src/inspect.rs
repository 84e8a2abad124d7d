//! Whether a key is open to one image and to nothing else that was not approved, by what is live in Google Cloud.

use std::collections::BTreeSet;

use console::hint::Hinted;
use content::Digest;
use gcp::Cloud;
use grant::Verdicts;
use grant::inspect::{Inspection, NoProviderDescribed, Observation};

/// Everything that was found about the key, its policy and those that it inherits, and the pool of the grant. Without verdicts, the image that the data
/// is for is the only approved one.
///
/// # Errors
/// The grant describes no provider, or something may not be read.
pub async fn observe(
    cloud: &Cloud,
    inspection: &Inspection<'_>,
    image: &Digest,
) -> Result<Vec<Observation>, Hinted> {
    let alone = Verdicts {
        approved: BTreeSet::from([*image]),
        refused: BTreeSet::new(),
    };
    let inspection = Inspection {
        verdicts: Some(inspection.verdicts.unwrap_or(&alone)),
        ..*inspection
    };
    inspection.granted().map_err(undescribed)?;
    let live = cloud.live(inspection.grant).await?;
    inspection.for_image(&live, image).map_err(undescribed)
}

fn undescribed(error: NoProviderDescribed) -> Hinted {
    Hinted::from_error(error).hinting(error.hint())
}
