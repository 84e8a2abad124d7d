//! Publishing in both layouts. A layout is written only if it does not yet hold the same statement by
//! the same key, so that publishing can be repeated even though signatures differ each time.

mod attach;
mod certified;
mod place;
mod present;
mod unpublished;

use attest::predicate::COSIGN_SIGN;
use attest::{PredicateType, Statement, Subject};
use oci::ImageRef;
use serde_json::{Value, json};
use signature::envelope::{Envelope, IN_TOTO, pae};
use signature::{Annotations, PublicKey, simple_signing};

pub use attach::{Offline, attach};
pub use certified::{Certified, attest_image_certified, sign_image_certified};
use place::Place;
pub use place::Shelf;
pub use present::{is_attested, is_signed};
pub use unpublished::{Unpublished, attest_unpublished, sign_unpublished};

use crate::{Error, Signer};

/// Where readers find what was published. A greater value means fewer readers.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[must_use]
pub enum Published {
    /// In each layout that was written.
    Listed,
    /// Under the legacy tag, if it was written. The bundle is stored, but the registry cannot list referrers.
    Unlisted,
}

impl Published {
    /// A note for the user, if readers are limited.
    pub fn note(self) -> Option<&'static str> {
        match self {
            Self::Listed => None,
            Self::Unlisted => Some(
                "this registry cannot list referrers: readers do not find the bundle, only what is under the legacy tag",
            ),
        }
    }
}

/// The payload that is signed for the legacy layout, with `key`.
///
/// # Errors
/// The annotations are too large.
pub fn payload(
    image: &ImageRef,
    key: &PublicKey,
    annotations: &Annotations,
) -> Result<Vec<u8>, Error> {
    let repository = image.repository.to_string();
    let payload = simple_signing::payload(&repository, &image.digest, key, annotations);
    // The only members that can be wrong are the annotations.
    payload.map_err(|error| Error::Annotations(error.to_string()))
}

/// The statement that is signed for the bundle layout: that the image is signed.
pub fn signature_statement(image: &ImageRef, annotations: &Annotations) -> Statement<Value> {
    let annotations = annotations.iter();
    let annotations = annotations.map(|(key, value)| (key.to_owned(), value.into()));
    let about = Subject {
        annotations: annotations.collect(),
        ..subject(image)
    };
    Statement::new(about, COSIGN_SIGN, json!({}))
}

/// The statement with `predicate`, of this type, about an image.
pub fn statement(image: &ImageRef, kind: &PredicateType, predicate: Value) -> Statement<Value> {
    Statement::new(subject(image), kind.uri(), predicate)
}

fn subject(image: &ImageRef) -> Subject {
    Subject::image(&image.repository.to_string(), &image.digest)
}

/// Signs an image: a payload under the tag `sha256-<hex>.sig`, and a statement in a bundle. Both have the annotations.
///
/// # Errors
/// The image does not exist or its manifest cannot be parsed; the annotations are too large; the signer fails, or a
/// request to the registry. Nothing that was written before is removed; repeating the call completes it.
pub async fn sign_image<'a>(
    shelf: impl Into<Shelf<'a>>,
    image: &ImageRef,
    signer: &Signer,
    annotations: &Annotations,
) -> Result<Published, Error> {
    let payload = payload(image, signer.public(), annotations)?;
    let place = Place::open(shelf.into(), image, signer.public()).await?;
    if !place.has_payload(&payload).await? {
        let signature = signer.sign(&payload).await?;
        place.append_payload(&payload, &signature).await?;
    }
    let statement = signature_statement(image, annotations);
    if place.find_in_bundles(&statement).await?.is_some() {
        return Ok(Published::Listed);
    }
    let envelope = seal(&statement, signer).await?;
    place.publish_bundle(COSIGN_SIGN, envelope).await
}

/// Attests a predicate about an image: an envelope under the tag `sha256-<hex>.att`, and the same
/// envelope in a bundle. If the signer has published an equal statement before (see
/// [`Statement::says_the_same_as`]), its envelope is kept, and only the missing layout is added.
///
/// # Errors
/// As [`sign_image`].
pub async fn attest_image<'a>(
    shelf: impl Into<Shelf<'a>>,
    image: &ImageRef,
    signer: &Signer,
    kind: impl Into<PredicateType>,
    predicate: Value,
) -> Result<Published, Error> {
    let kind = kind.into();
    let statement = statement(image, &kind, predicate);
    let place = Place::open(shelf.into(), image, signer.public()).await?;
    let stored = place.find(&statement).await?;
    let envelope = match stored.any() {
        Some(envelope) => envelope.clone(),
        None => seal(&statement, signer).await?,
    };
    place.complete(&stored, kind.uri(), envelope).await
}

async fn seal(statement: &Statement<Value>, signer: &Signer) -> Result<Envelope, Error> {
    let payload = statement.to_bytes()?;
    let signature = signer.sign(&pae(IN_TOTO, &payload)).await?;
    Ok(Envelope::new(IN_TOTO, payload, "", signature))
}
