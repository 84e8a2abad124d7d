//! A rebuild without a policy: what was built from which commit, and whether it equals the published image. Its layout
//! can be used later for an appraisal by a policy.

use std::path::Path;
use std::{fs, io};

use attest::{ImageName, Provenance, Statement};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chrono::{DateTime, Utc};
use console::at::At;
use console::hint::Hinted;
use console::location::without_login;
use console::progress::Progress;
use content::{Digest, limits};
use oci::{ImageRef, Reference};
use scratch::Scratch;
use serde_json::{Value, json};
use trust::Principals;

use crate::collect;
use crate::commit::Commit;
use crate::error::Error;
use crate::evidence::{Evidence, Rebuild, Rebuilt};
use crate::examine;
use crate::place::Place;
use crate::policy::Demand;
use crate::published::Published;
use crate::rebuild::record::Record;
use crate::rebuild::{Attached, Choice, Order, Tools, only_image, rebuild};
use crate::{report, rules};

/// The payload of an envelope, bare and in a bundle, as JSON pointers.
const PAYLOADS: [&str; 2] = ["/payload", "/dsseEnvelope/payload"];

/// An image to rebuild.
pub struct Request<'a> {
    /// The reference to the published image.
    pub reference: &'a Reference,
    /// Where it is.
    pub place: Place<'a>,
    /// A directory or URL that git can clone.
    pub source: &'a str,
    /// The commit to build instead of the one that provenance names.
    pub commit: Option<&'a Commit>,
    /// The directory of the source that is built.
    pub directory: &'a str,
    /// The name of the image to build instead of the one that provenance names.
    pub image: Option<&'a ImageName>,
    /// The programs that build.
    pub tools: &'a Tools,
    /// The path of the new layout.
    pub layout: &'a Path,
    /// The time of the rebuild.
    pub now: DateTime<Utc>,
}

/// The result of a rebuild.
#[derive(Debug)]
pub struct Receipt {
    image: ImageRef,
    evidence: Evidence,
}

/// Rebuilds and compares.
///
/// # Errors
/// The image cannot be fetched, or nothing could be built.
pub async fn receipt(request: &Request<'_>, progress: &Progress) -> Result<Receipt, Error> {
    if request.layout.exists() {
        let path = request.layout.display();
        let exists = Hinted::new(format_args!("writing {path}: it exists already"));
        return Err(exists
            .hinting("choose another path for -o, or remove it")
            .into());
    }
    request.tools.check()?;
    let place = request.place;
    let image = collect::resolve(place, request.reference).await?;
    let published = collect::collect(place, &image).await?;
    let order = Order {
        source: request.source.to_owned(),
        // Only a policy compares the URI.
        source_uri: format!("git+{}", without_login(request.source)),
        commit: Choice::of(request.commit, || claimed_commit(&published))?,
        directory: request.directory.to_owned(),
        image: match request.image {
            Some(given) => Some(given.clone()),
            None => claimed_image(&published)?,
        },
    };
    let attached = Attached {
        place,
        files: published.index_files.clone(),
    };
    let attested = examine::examine(published, &Principals::default(), request.now);
    let failed = At::writing(request.layout);
    let scratch = beside(request.layout).map_err(&failed)?;
    let making = scratch.path().join("layout");
    let rebuild = rebuild(request.tools, &order, &attached, &making, progress).await?;
    if let Rebuild::Done(rebuilt) = &rebuild {
        record(rebuilt, &image, request.source).write(&making)?;
        fs::rename(&making, request.layout).map_err(&failed)?;
    }
    let evidence = Evidence::new(attested, rebuild);
    Ok(Receipt { image, evidence })
}

/// A temporary folder next to the path of the layout, to which it is renamed when it is complete.
fn beside(layout: &Path) -> io::Result<Scratch> {
    let parent = match layout.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent)?;
    Scratch::below(parent)
}

/// The record that `--rebuilt` requires later.
fn record(rebuilt: &Rebuilt, image: &ImageRef, source: &str) -> Record {
    Record {
        image: image.to_string(),
        source: without_login(source),
        commit: rebuilt.commit.clone(),
        image_digest: rebuilt.contents.image.image_digest(),
    }
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

    /// The digest of the rebuilt image, if there is one.
    pub fn rebuilt(&self) -> Option<Digest> {
        match &self.evidence.rebuild {
            Rebuild::Done(rebuilt) => Some(rebuilt.contents.image.image_digest()),
            _ => None,
        }
    }

    /// The receipt as text: one line for each finding.
    pub fn table(&self) -> String {
        let integrity = rules::integrity::check(&self.evidence);
        let rebuild = rules::rebuild::judge(&self.evidence, Demand::Required);
        report::lines(&[integrity, rebuild].concat())
    }

    /// The receipt as JSON.
    pub fn to_json(&self) -> Value {
        let damage = self.evidence.attested.damage.iter();
        let damage: Vec<String> = damage.map(ToString::to_string).collect();
        json!({
            "image": self.image.to_string(),
            "same": self.is_same(),
            "rebuilt": report::rebuilt(&self.evidence.rebuild),
            "differences": self.evidence.differences,
            "damage": damage,
        })
    }
}

/// The commit that provenance claims, even if its signer is unknown: with a wrong commit, the rebuilt image differs. Two
/// different claims are an error. Claims that cannot be parsed are ignored.
fn claimed_commit(published: &Published) -> Result<Option<Commit>, Error> {
    let pieces = published.pieces.iter();
    let claims = pieces.filter_map(|piece| claimed(&piece.bytes));
    let claims = claims.filter_map(|one| rules::provenance::commit_of(&one)?.parse().ok());
    Ok(Commit::only(&claims.collect())?)
}

/// The name of the image that provenance claims, as [`claimed_commit`].
fn claimed_image(published: &Published) -> Result<Option<ImageName>, Error> {
    let pieces = published.pieces.iter();
    let claims = pieces.filter_map(|piece| claimed(&piece.bytes));
    let claims = claims.filter_map(|one| rules::provenance::image_of(&one));
    Ok(only_image(&claims.collect())?)
}

/// The provenance in a signed envelope or bundle.
fn claimed(piece: &[u8]) -> Option<Provenance> {
    let document: Value = content::json::parse(piece, limits::STATEMENT).ok()?;
    let mut texts = PAYLOADS
        .iter()
        .filter_map(|at| document.pointer(at)?.as_str());
    // Both alphabets, with padding or without, as envelopes may have them.
    let text = texts.next()?.trim_end_matches('=');
    let text = text.replace('-', "+").replace('_', "/");
    let payload = STANDARD_NO_PAD.decode(text).ok()?;
    let statement = Statement::<Provenance>::parse(&payload).ok()?;
    Some(statement.predicate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorize::tests::provenance_of;
    use base64::engine::GeneralPurpose;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};

    #[test]
    fn a_claim_is_read_however_it_is_written() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let statement = provenance_of(commit);
        let engines: [&GeneralPurpose; 4] =
            [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
        assert!(URL_SAFE.encode(&statement).contains(['-', '_']));
        for engine in engines {
            let envelope = json!({"payload": engine.encode(&statement)});
            let bundle = json!({"dsseEnvelope": envelope});
            for piece in [envelope, bundle] {
                let claimed = claimed(piece.to_string().as_bytes()).unwrap();
                assert_eq!(rules::provenance::commit_of(&claimed), Some(commit));
            }
        }
    }
}
