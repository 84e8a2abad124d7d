//! Publishes an image as a whole: pushes, signs and attests it. Each step is what the command of its name does, and can be
//! repeated.

use std::fmt;
use std::path::Path;

use attest::{PredicateType, Provenance, Sbom};
use chrono::{DateTime, Utc};
use console::progress::Progress;
use oci::{ImageRef, Reference};
use remote::Transport;
use serde_json::Value;
use signature::Annotations;
use signer::{Published, Signer};

use super::attest::{attest, read};
use super::push;
use super::sign::{find, refused, sign};
use crate::error::Error;
use crate::image::several;

/// What is published.
#[derive(Clone, Copy)]
pub struct Whole<'a> {
    /// The layout.
    pub layout: &'a Path,
    /// Where the image is pushed.
    pub reference: &'a Reference,
    /// How the registry is reached.
    pub transport: &'a Transport,
    /// The key.
    pub signer: &'a Signer,
    /// What the signature says beside the image.
    pub annotations: &'a Annotations,
    /// The predicates to attest.
    pub predicates: &'a [(PredicateType, Value)],
    /// Shows how much is pushed.
    pub progress: &'a Progress,
}

/// A step of publishing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// The image is pushed.
    Push,
    /// It is signed.
    Sign,
    /// A predicate of this type is attested.
    Attest(PredicateType),
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Push => out.write_str("image"),
            Self::Sign => out.write_str("signature"),
            Self::Attest(kind) => {
                let name = PredicateType::name_of(kind.uri()).unwrap_or(kind.uri());
                write!(out, "attestation {name}")
            }
        }
    }
}

/// How a step ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Done {
    /// It was published now.
    Now(Published),
    /// It was there already, and nothing was changed.
    Before,
}

/// Is told about each step that is done.
pub type Report<'a> = &'a (dyn Fn(&Step, Done) + Sync);

/// Why not everything was published.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct Unfinished {
    /// The steps that are not done. Those before them are done and stay.
    pub left: Vec<Step>,
    /// Why the first of them is not.
    pub source: Error,
}

/// Reads the predicates that the builder has written into a layout. `now` is the time in predicates that have no other place
/// for one.
///
/// # Errors
/// The folder has several layouts, a file cannot be read, or is not such a predicate.
pub fn predicates(layout: &Path, now: DateTime<Utc>) -> Result<Vec<(PredicateType, Value)>, Error> {
    several::check_single(layout)?;
    let written = [
        (
            PredicateType::from(&Provenance::PREDICATE),
            Provenance::PREDICATE.file,
        ),
        (PredicateType::from(&Sbom::PREDICATE), Sbom::PREDICATE.file),
    ];
    let written = written.into_iter().map(|(kind, file)| {
        let predicate = read(&kind, &layout.join(file), now)?;
        Ok((kind, predicate))
    });
    written.collect()
}

/// Does all steps, in order, and returns the image's reference by digest. A step whose result is there already changes nothing.
///
/// # Errors
/// A step fails. What was published before stays, and publishing again goes on with the rest.
pub async fn publish(whole: Whole<'_>, report: Report<'_>) -> Result<ImageRef, Unfinished> {
    let steps = whole.steps();
    let unfinished = |done: usize, source: Error| Unfinished {
        left: steps[done..].to_vec(),
        source,
    };
    let pushed = whole.push().await;
    let (image, done) = pushed.map_err(|error| unfinished(0, error))?;
    report(&steps[0], done);
    let signed = whole.sign(&image).await;
    report(&steps[1], signed.map_err(|error| unfinished(1, error))?);
    for (index, (kind, predicate)) in whole.predicates.iter().enumerate() {
        let attested = whole.attest(&image, kind, predicate).await;
        let done = attested.map_err(|error| unfinished(index + 2, error))?;
        report(&steps[index + 2], done);
    }
    Ok(image)
}

impl Whole<'_> {
    fn steps(&self) -> Vec<Step> {
        let attested = self.predicates.iter();
        let attested = attested.map(|(kind, _)| Step::Attest(kind.clone()));
        [Step::Push, Step::Sign]
            .into_iter()
            .chain(attested)
            .collect()
    }

    /// Pushes in any case: an earlier push may have ended before the package index was attached.
    async fn push(&self) -> Result<(ImageRef, Done), Error> {
        let is_there = push::is_pushed(self.layout, self.reference, self.transport).await?;
        let image = push::push(self.layout, self.reference, self.transport, self.progress).await?;
        let done = match is_there {
            true => Done::Before,
            false => Done::Now(Published::Listed),
        };
        Ok((image, done))
    }

    async fn sign(&self, image: &ImageRef) -> Result<Done, Error> {
        let registry = find(image, self.transport).await?;
        let key = self.signer.public();
        let is_there = signer::is_signed(&registry, image, key, self.annotations).await;
        match is_there.map_err(|error| refused("signing", image, error))? {
            true => Ok(Done::Before),
            false => {
                let signed = sign(image, self.transport, self.signer, self.annotations);
                Ok(Done::Now(signed.await?))
            }
        }
    }

    async fn attest(
        &self,
        image: &ImageRef,
        kind: &PredicateType,
        predicate: &Value,
    ) -> Result<Done, Error> {
        let registry = find(image, self.transport).await?;
        let key = self.signer.public();
        let is_there = signer::is_attested(&registry, image, key, kind, predicate).await;
        match is_there.map_err(|error| refused("signing", image, error))? {
            true => Ok(Done::Before),
            false => {
                let predicate = predicate.clone();
                let attested = attest(image, self.transport, self.signer, kind, predicate);
                Ok(Done::Now(attested.await?))
            }
        }
    }
}
