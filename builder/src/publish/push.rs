//! Pushes a layout to a registry.

use std::path::Path;

use oci::{Descriptor, ImageRef, Layout, Manifest, Reference, media};
use remote::{Registry, Transport};

use crate::at::{self, At};
use crate::inputs::debian::evidence;
use crate::lock::index;

/// A layout that was not pushed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The layout cannot be read.
    #[error("pushing layout: {0}")]
    Layout(#[from] oci::Error),
    /// The package index in the layout cannot be read.
    #[error("pushing layout: {0}")]
    Evidence(#[from] At),
    /// The registry cannot be reached, or refuses.
    #[error("pushing layout: {0}")]
    Registry(#[from] remote::Error),
}

impl PushError {
    /// A hint for the user, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Layout(_) => Some("a layout is what `builder build -o` writes"),
            Self::Registry(error) => Some(error.hint()),
            Self::Evidence(_) => None,
        }
    }
}

/// Pushes the image of the layout in `folder` without changes, and returns its reference by digest. If the layout contains
/// a signed package index, the index is pushed as a referrer of the image.
///
/// # Errors
/// See [`PushError`]. What was pushed before the error stays; pushing again completes it.
pub async fn push(
    folder: &Path,
    reference: &Reference,
    transport: &Transport,
) -> Result<ImageRef, PushError> {
    let layout = Layout::open(folder)?;
    let registry = Registry::connect(&reference.repository, transport)?;
    let digest = registry.push_layout(&layout, &reference.target).await?;
    let evidence = folder.join(evidence::FOLDER);
    if evidence.is_dir() {
        let subject = layout.descriptor()?;
        push_evidence(&evidence, subject, &registry).await?;
    }
    Ok(ImageRef {
        repository: reference.repository.clone(),
        digest,
    })
}

async fn push_evidence(
    folder: &Path,
    subject: Descriptor,
    registry: &Registry,
) -> Result<(), PushError> {
    let files = [
        (evidence::RELEASE, index::RELEASE),
        (evidence::PACKAGES, index::PACKAGES),
        (evidence::KEYRING, index::KEYRING),
    ];
    let mut layers = Vec::new();
    for (name, limit) in files {
        let bytes = at::read(&folder.join(name), limit)?;
        let mut layer = registry.push_blob(media::OCTETS, &bytes).await?;
        let title = (media::TITLE.to_owned(), name.to_owned());
        layer.annotations = [title].into();
        layers.push(layer);
    }
    let manifest = Manifest {
        artifact_type: Some(media::PACKAGE_INDEX.to_owned()),
        subject: Some(Descriptor::new(
            media::MANIFEST,
            subject.digest,
            subject.size,
        )),
        ..Manifest::new(Descriptor::empty(), layers)
    };
    registry.attach_referrer(manifest).await?;
    Ok(())
}
