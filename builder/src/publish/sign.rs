//! Signs an image that is in a registry.

use oci::ImageRef;
use remote::{Registry, Transport};
use signer::{Published, Signer};

use super::error::SignError;

/// Signs an image that is in the registry, in both layouts.
///
/// # Errors
/// See [`SignError`].
pub async fn sign(
    image: &ImageRef,
    transport: &Transport,
    signer: &Signer,
) -> Result<Published, SignError> {
    let registry = find(image, transport).await?;
    let signed = signer::sign_image(&registry, image, signer).await;
    signed.map_err(|source| refused(image, source))
}

pub(super) fn refused(image: &ImageRef, source: signer::Error) -> SignError {
    SignError::Signer {
        image: Box::new(image.clone()),
        source,
    }
}

/// Checks that the registry has the image: other images are not signed.
pub(super) async fn find(image: &ImageRef, transport: &Transport) -> Result<Registry, SignError> {
    let absent = |source| SignError::Image {
        image: Box::new(image.clone()),
        source,
    };
    let registry = Registry::connect(&image.repository, transport).map_err(absent)?;
    registry.image(&image.digest).await.map_err(absent)?;
    Ok(registry)
}
