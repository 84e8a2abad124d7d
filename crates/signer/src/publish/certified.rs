//! Publishing statements that are signed with a certificate: as bundles only. The legacy layout has no place for the proof of
//! a log, and Confidential Space reads signatures with keys only.

use attest::predicate::COSIGN_SIGN;
use attest::{PredicateType, Statement};
use oci::ImageRef;
use remote::Registry;
use serde_json::Value;
use signature::Annotations;

use super::place::{attach_bundle, subject};
use super::{Published, signature_statement, statement};
use crate::{CertifiedSigner, Error};

/// What was signed with a certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Certified {
    /// Whom the certificate names.
    pub signer: keyless::Signer,
    /// Whether readers find the bundle.
    pub published: Published,
}

/// Signs an image with a certified key: a statement in a bundle, with the annotations. Each call publishes another
/// signature, since each has a key of its own.
///
/// # Errors
/// The image does not exist or its manifest cannot be parsed; a service refuses, or what it answers does not verify; or a
/// request to the registry fails. What does not verify is not published.
pub async fn sign_image_certified(
    registry: &Registry,
    image: &ImageRef,
    signer: &CertifiedSigner,
    annotations: &Annotations,
) -> Result<Certified, Error> {
    let statement = signature_statement(image, annotations);
    publish(registry, image, signer, COSIGN_SIGN, &statement).await
}

/// Attests a predicate about an image with a certified key, in a bundle.
///
/// # Errors
/// As [`sign_image_certified`].
pub async fn attest_image_certified(
    registry: &Registry,
    image: &ImageRef,
    signer: &CertifiedSigner,
    kind: impl Into<PredicateType>,
    predicate: Value,
) -> Result<Certified, Error> {
    let kind = kind.into();
    let statement = statement(image, &kind, predicate);
    publish(registry, image, signer, kind.uri(), &statement).await
}

async fn publish(
    registry: &Registry,
    image: &ImageRef,
    signer: &CertifiedSigner,
    predicate_type: &str,
    statement: &Statement<Value>,
) -> Result<Certified, Error> {
    let subject = subject(registry, image).await?;
    let sealed = signer.seal(statement.to_bytes()?, &image.digest).await?;
    let published = attach_bundle(registry, &subject, predicate_type, &sealed.bundle).await?;
    Ok(Certified {
        signer: sealed.signer,
        published,
    })
}
