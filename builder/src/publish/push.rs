//! Pushes a layout to a registry.

use std::path::Path;

use console::hint::Hinted;
use oci::{Descriptor, ImageRef, Layout, Manifest, Reference, media};
use remote::{Registry, Transport};

use crate::at;
use crate::inputs::debian::evidence;
use crate::lock::index;

/// Pushes the image of the layout in `folder` without changes, and returns its reference by digest. If the layout contains
/// a signed package index, the index is pushed as a referrer of the image.
///
/// # Errors
/// The layout cannot be read, or the registry refuses it. What was pushed before the error stays; pushing again completes it.
pub async fn push(
    folder: &Path,
    reference: &Reference,
    transport: &Transport,
) -> Result<ImageRef, Hinted> {
    let layout = Layout::open(folder).map_err(unread)?;
    let registry = Registry::connect(&reference.repository, transport).map_err(refused)?;
    let digest = registry.push_layout(&layout, &reference.target).await;
    let digest = digest.map_err(refused)?;
    let evidence = folder.join(evidence::FOLDER);
    if evidence.is_dir() {
        let subject = layout.descriptor().map_err(unread)?;
        push_evidence(&evidence, subject, &registry).await?;
    }
    Ok(ImageRef {
        repository: reference.repository.clone(),
        digest,
    })
}

const PUSHING: &str = "pushing layout";

/// The layout cannot be read.
fn unread(error: oci::Error) -> Hinted {
    Hinted::doing(PUSHING, error).hinting("a layout is what `builder build -o` writes")
}

/// The registry cannot be reached, or refuses.
fn refused(error: remote::Error) -> Hinted {
    let hint = error.hint();
    Hinted::doing(PUSHING, error).hinting(hint)
}

async fn push_evidence(
    folder: &Path,
    subject: Descriptor,
    registry: &Registry,
) -> Result<(), Hinted> {
    let files = [
        (evidence::RELEASE, index::RELEASE),
        (evidence::PACKAGES, index::PACKAGES),
        (evidence::KEYRING, index::KEYRING),
    ];
    let mut layers = Vec::new();
    for (name, limit) in files {
        let bytes = at::read(&folder.join(name), limit);
        let bytes = bytes.map_err(|at| Hinted::doing(PUSHING, at))?;
        let layer = registry.push_blob(media::OCTETS, &bytes).await;
        let mut layer = layer.map_err(refused)?;
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
    let attached = registry.attach_referrer(manifest).await;
    attached.map(drop).map_err(refused)
}
