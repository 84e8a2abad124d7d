//! A rebuild on its own: what was built from which commit, and whether it is the published image. It
//! judges nobody and trusts nobody; a policy does that later, with the layout that is left here.

use std::path::Path;

use attest::{Provenance, Statement};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::{Digest, limits};
use oci::{ImageRef, Reference};
use remote::Registry;
use serde_json::{Value, json};

use crate::collect;
use crate::commit::Commit;
use crate::error::Error;
use crate::evidence::{Evidence, Rebuild, Rebuilt};
use crate::examine;
use crate::policy::Demand;
use crate::published::Published;
use crate::rebuild::record::Record;
use crate::rebuild::{Order, Progress, Workshop, rebuild};
use crate::{report, rules};

/// Where an envelope's payload stands, bare and in a bundle.
const PAYLOADS: [&str; 2] = ["/payload", "/dsseEnvelope/payload"];

/// What to rebuild, and where to.
pub struct Request<'a> {
    /// The published image, as the user typed it.
    pub reference: &'a Reference,
    /// The registry that holds it.
    pub registry: &'a Registry,
    /// What to build.
    pub order: Order,
    /// The tools.
    pub workshop: &'a Workshop,
    /// Where the rebuilt image goes.
    pub layout: &'a Path,
}

/// What a rebuild gave.
#[derive(Debug)]
pub struct Receipt {
    image: ImageRef,
    evidence: Evidence,
}

/// Rebuilds and compares.
///
/// # Errors
/// The image cannot be fetched, or nothing could be built.
pub async fn receipt(request: &Request<'_>, progress: Progress<'_>) -> Result<Receipt, Error> {
    if request.layout.exists() {
        let path = request.layout.to_owned();
        return Err(Error::Exists { path });
    }
    let image = collect::resolve(request.registry, request.reference).await?;
    let published = collect::collect(request.registry, &image).await?;
    let mut order = request.order.clone();
    if order.commit.is_none() {
        order.commit = claimed_commit(&published)?;
    }
    let attested = examine::examine(published, &[]);
    let rebuild = rebuild(request.workshop, &order, request.layout, progress).await?;
    if let Rebuild::Done(rebuilt) = &rebuild {
        put_on_record(rebuilt, &image, &order, request.layout)?;
    }
    let evidence = Evidence::new(attested, rebuild);
    Ok(Receipt { image, evidence })
}

/// Says in the layout that this is a rebuild, for `--rebuilt` later. Without that the layout is of
/// no use, and goes again.
fn put_on_record(
    rebuilt: &Rebuilt,
    image: &ImageRef,
    order: &Order,
    layout: &Path,
) -> Result<(), Error> {
    let record = Record {
        image: image.to_string(),
        source: order.source.clone(),
        commit: rebuilt.commit.clone(),
        image_digest: rebuilt.contents.image.image_digest(),
    };
    record.write(layout).map_err(|error| {
        // Whether that works or not, the first error is the one to tell.
        let _ = std::fs::remove_dir_all(layout);
        Error::from(error)
    })
}

impl Receipt {
    /// Whether the rebuilt image is the published one, byte for byte.
    pub fn is_same(&self) -> bool {
        match &self.evidence.rebuild {
            Rebuild::Done(rebuilt) => {
                let same_digest = rebuilt.contents.image.image_digest() == self.image.digest;
                same_digest && self.evidence.attested.damage.is_empty()
            }
            _ => false,
        }
    }

    /// What came out of the rebuild, if anything did.
    pub fn rebuilt(&self) -> Option<Digest> {
        match &self.evidence.rebuild {
            Rebuild::Done(rebuilt) => Some(rebuilt.contents.image.image_digest()),
            _ => None,
        }
    }

    /// The receipt for people: one line for each finding.
    pub fn table(&self) -> String {
        let integrity = rules::integrity::check(&self.evidence);
        let rebuild = rules::rebuild::judge(&self.evidence, Demand::Required);
        report::lines(&[integrity, rebuild].concat())
    }

    /// The receipt for programs: what was asked, built and found different.
    pub fn to_json(&self) -> Value {
        let damage = self.evidence.attested.damage.iter();
        let damage: Vec<String> = damage
            .map(|damage| {
                let (what, expected, found) = (&damage.what, &damage.expected, &damage.found);
                format!("{what}: expected {expected}, found {found}")
            })
            .collect();
        json!({
            "image": self.image.to_string(),
            "same": self.is_same(),
            "rebuilt": report::rebuilt(&self.evidence.rebuild),
            "differences": self.evidence.differences,
            "damage": damage,
        })
    }
}

/// The commit that provenance claims, whoever signed it: here it only says what to try, and a
/// wrong claim ends in a different image. Two claims are no answer; a claim that names no commit is
/// none, and is a stranger's text.
fn claimed_commit(published: &Published) -> Result<Option<Commit>, Error> {
    let pieces = published.pieces.iter();
    let claims = pieces.filter_map(|piece| claim(&piece.bytes)).collect();
    Commit::only(&claims)
}

fn claim(piece: &[u8]) -> Option<Commit> {
    let document: Value = content::json::parse(piece, limits::STATEMENT).ok()?;
    let mut texts = PAYLOADS
        .iter()
        .filter_map(|at| document.pointer(at)?.as_str());
    let payload = STANDARD.decode(texts.next()?).ok()?;
    let statement = Statement::<Provenance>::parse(&payload).ok()?;
    rules::provenance::commit_of(&statement.predicate)?
        .parse()
        .ok()
}
