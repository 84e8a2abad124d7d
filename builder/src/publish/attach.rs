//! Publishes a signature that was made elsewhere.

use console::hint::Hinted;
use oci::{ImageRef, Repository};
use remote::{Registry, Transport};
use signer::{Offline, Published, Shelf};

use super::sign::{find, refused};
use crate::error::Error;

/// Publishes a signature on an image that is in the registry, beside the image or in another repository.
///
/// # Errors
/// The image is not in the registry, or a registry fails.
pub async fn attach(
    image: &ImageRef,
    to: Option<&Repository>,
    transport: &Transport,
    offline: Offline<'_>,
) -> Result<Published, Error> {
    let registry = find(image, transport).await?;
    let other = to.map(|repository| Registry::connect(repository, transport));
    let other = other.transpose().map_err(|error| {
        let hint = error.hint();
        Hinted::doing("connecting to the repository of evidence", error).hinting(hint)
    })?;
    let shelf = Shelf {
        image: &registry,
        evidence: other.as_ref().unwrap_or(&registry),
    };
    let attached = signer::attach(shelf, offline).await;
    Ok(attached.map_err(|error| refused("attaching to", image, error))?)
}
