//! A layout to a registry.

use std::path::Path;

use oci::{ImageRef, Layout, Reference};
use remote::{Registry, Transport};

/// An image that is not in the registry now.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The layout cannot be read.
    #[error("pushing layout: {0}")]
    Layout(#[from] oci::Error),
    /// The registry refuses.
    #[error("pushing layout: {0}")]
    Registry(#[from] remote::Error),
}

/// Pushes the image of the layout in `dir`, byte for byte, and gives its name by digest.
///
/// # Errors
/// See [`PushError`]. What was written before stays; repeating completes it.
pub async fn push(
    dir: &Path,
    reference: &Reference,
    transport: &Transport,
) -> Result<ImageRef, PushError> {
    let layout = Layout::open(dir)?;
    let registry = Registry::connect(&reference.repository, transport)?;
    let digest = registry.push_layout(&layout, &reference.target).await?;
    Ok(ImageRef {
        repository: reference.repository.clone(),
        digest,
    })
}
