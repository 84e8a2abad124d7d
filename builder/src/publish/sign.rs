//! Signs an image that is in a registry.

use console::hint::Hinted;
use oci::ImageRef;
use remote::{Registry, Transport};
use signature::Annotations;
use signer::{Certified, CertifiedSigner, Published, Signer};

use crate::error::Error;

/// Signs an image that is in the registry, in both layouts, with these annotations.
///
/// # Errors
/// The image is not in the registry, the registry fails, or the signer refuses.
pub async fn sign(
    image: &ImageRef,
    transport: &Transport,
    signer: &Signer,
    annotations: &Annotations,
) -> Result<Published, Hinted> {
    let registry = find(image, transport).await?;
    let signed = signer::sign_image(&registry, image, signer, annotations).await;
    signed.map_err(|error| refused("signing", image, error))
}

/// Signs an image that is in the registry with a certified key, in a bundle.
///
/// # Errors
/// As [`sign`]; or what a service of the signer answers does not verify.
pub async fn sign_certified(
    image: &ImageRef,
    transport: &Transport,
    signer: &CertifiedSigner,
    annotations: &Annotations,
) -> Result<Certified, Error> {
    let registry = find(image, transport).await?;
    let signed = signer::sign_image_certified(&registry, image, signer, annotations).await;
    signed.map_err(|error| unsigned(image, error))
}

/// The error for an image that is not signed. A refusal keeps its meaning.
pub(super) fn unsigned(image: &ImageRef, error: signer::Error) -> Error {
    match error {
        signer::Error::Unverified(_) => error.into(),
        error => refused("signing", image, error).into(),
    }
}

pub(super) fn refused(doing: &str, image: &ImageRef, error: signer::Error) -> Hinted {
    let hint = error.hint();
    let refused = Hinted::doing(format_args!("{doing} {image}"), error);
    match hint {
        Some(hint) => refused.hinting(hint),
        None => refused,
    }
}

/// Checks that the registry has the image: other images are not signed.
pub(super) async fn find(image: &ImageRef, transport: &Transport) -> Result<Registry, Hinted> {
    let absent = |error: remote::Error| {
        let hint = error.hint();
        Hinted::doing(format_args!("reading {image}"), error).hinting(hint)
    };
    let registry = Registry::connect(&image.repository, transport).map_err(absent)?;
    registry.image(&image.digest).await.map_err(absent)?;
    Ok(registry)
}
