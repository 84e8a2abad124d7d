//! Whether a key has published something before, in all layouts: publishing it again would change nothing.

use attest::PredicateType;
use oci::ImageRef;
use remote::Registry;
use serde_json::Value;
use signature::{Annotations, PublicKey};

use super::place::Place;
use super::{payload, signature_statement, statement};
use crate::Error;

/// Whether the key has signed the image with these annotations, as [`sign_image`](super::sign_image) signs it.
///
/// # Errors
/// The image does not exist or its manifest cannot be parsed, the annotations are too large, or a request to the registry fails.
pub async fn is_signed(
    registry: &Registry,
    image: &ImageRef,
    key: &PublicKey,
    annotations: &Annotations,
) -> Result<bool, Error> {
    let payload = payload(image, key, annotations)?;
    let place = Place::open(registry.into(), image, key).await?;
    if !place.has_payload(&payload).await? {
        return Ok(false);
    }
    let statement = signature_statement(image, annotations);
    Ok(place.find_in_bundles(&statement).await?.is_some())
}

/// Whether the key has attested the predicate, as [`attest_image`](super::attest_image) attests it.
///
/// # Errors
/// The image does not exist or its manifest cannot be parsed, or a request to the registry fails.
pub async fn is_attested(
    registry: &Registry,
    image: &ImageRef,
    key: &PublicKey,
    kind: &PredicateType,
    predicate: &Value,
) -> Result<bool, Error> {
    let place = Place::open(registry.into(), image, key).await?;
    let statement = statement(image, kind, predicate.clone());
    Ok(place.find(&statement).await?.is_complete())
}
