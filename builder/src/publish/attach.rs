//! Publishes a signature that was made elsewhere.

use oci::ImageRef;
use remote::Transport;
use signer::{Offline, Published};

use super::sign::{find, refused};
use crate::error::Error;

/// Publishes a signature on an image that is in the registry.
///
/// # Errors
/// The image is not in the registry, or the registry fails.
pub async fn attach(
    image: &ImageRef,
    transport: &Transport,
    offline: Offline<'_>,
) -> Result<Published, Error> {
    let registry = find(image, transport).await?;
    let attached = signer::attach(&registry, offline).await;
    Ok(attached.map_err(|error| refused("attaching to", image, error))?)
}
