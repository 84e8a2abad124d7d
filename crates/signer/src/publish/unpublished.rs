//! Signatures and statements that are not published, for a user who may write to the repository.

use attest::PredicateType;
use oci::ImageRef;
use serde_json::Value;
use signature::Annotations;
use signature::bundle::Bundle;

use super::{payload, seal, signature_statement, statement};
use crate::{Error, Signer};

/// A signature on an image in both layouts, as [`Offline`](super::Offline) reads it.
#[derive(Clone, Debug)]
pub struct Unpublished {
    /// The payload of the legacy layout.
    pub payload: Vec<u8>,
    /// Its signature.
    pub signature: Vec<u8>,
    /// A bundle with the statement that the image is signed.
    pub bundle: Vec<u8>,
}

/// Signs an image as [`sign_image`](super::sign_image) does, and publishes nothing.
///
/// # Errors
/// The annotations are too large, or the signer fails.
pub async fn sign_unpublished(
    image: &ImageRef,
    signer: &Signer,
    annotations: &Annotations,
) -> Result<Unpublished, Error> {
    let payload = payload(image, signer.public(), annotations)?;
    let signature = signer.sign(&payload).await?;
    let envelope = seal(&signature_statement(image, annotations), signer).await?;
    let bundle = Bundle::new(envelope).to_bytes(signer.public())?;
    Ok(Unpublished {
        payload,
        signature,
        bundle,
    })
}

/// Makes a bundle with a predicate about an image, as [`attest_image`](super::attest_image) does, and publishes nothing.
///
/// # Errors
/// The signer fails.
pub async fn attest_unpublished(
    image: &ImageRef,
    signer: &Signer,
    kind: impl Into<PredicateType>,
    predicate: Value,
) -> Result<Vec<u8>, Error> {
    let envelope = seal(&statement(image, &kind.into(), predicate), signer).await?;
    Ok(Bundle::new(envelope).to_bytes(signer.public())?)
}
