//! Pushes a layout to a registry.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use console::hint::Hinted;
use console::progress::{Meter, Progress};
use oci::{Descriptor, ImageRef, Layout, Manifest, Reference, Target, media};
use remote::{Registry, Transport};

use crate::at::{self, At};
use crate::image::several;
use crate::inputs::debian::evidence;

/// Pushes the image of the layout in `folder` without changes, and returns its reference by digest. If the layout contains
/// a signed package index, the index is pushed as a referrer of the image.
///
/// # Errors
/// The layout cannot be read, or the registry refuses it. What was pushed before the error stays; pushing again completes it.
pub async fn push(
    folder: &Path,
    reference: &Reference,
    transport: &Transport,
    progress: &Progress,
) -> Result<ImageRef, Hinted> {
    let step = progress.step("push the image");
    let pushed = push_counted(folder, reference, transport, step.meter());
    step.end(pushed.await)
}

async fn push_counted(
    folder: &Path,
    reference: &Reference,
    transport: &Transport,
    meter: Meter,
) -> Result<ImageRef, Hinted> {
    let layout = open(folder)?;
    meter.of(sizes(&layout)?);
    let registry = Registry::connect(&reference.repository, transport).map_err(refused)?;
    let registry = registry.counting(move |bytes| meter.add(bytes));
    let evidence = evidence_in(folder).map_err(|at| Hinted::doing(PUSHING, at))?;
    let digest = registry.push_layout(&layout, &reference.target).await;
    let digest = digest.map_err(refused)?;
    if let Some(evidence) = evidence {
        let subject = layout.descriptor().map_err(unread)?;
        push_evidence(&evidence, subject, &registry).await?;
    }
    Ok(ImageRef {
        repository: reference.repository.clone(),
        digest,
    })
}

/// The sizes of the blobs of an image, in bytes.
fn sizes(layout: &Layout) -> Result<Vec<u64>, Hinted> {
    let image = layout.image().map_err(unread)?;
    let Manifest { layers, config, .. } = image.manifest();
    let blobs = layers.iter().chain([config]);
    Ok(blobs.map(|blob| blob.size).collect())
}

/// Whether the reference names the image of the layout in `folder` already.
///
/// # Errors
/// As [`push`].
pub async fn is_pushed(
    folder: &Path,
    reference: &Reference,
    transport: &Transport,
) -> Result<bool, Hinted> {
    let layout = open(folder)?;
    let wanted = layout.descriptor().map_err(unread)?.digest;
    let registry = Registry::connect(&reference.repository, transport).map_err(refused)?;
    match &reference.target {
        Target::Tag(tag) => {
            let found = registry.resolve(tag).await.map_err(refused)?;
            Ok(found.is_some_and(|found| found.digest == wanted))
        }
        Target::Digest(digest) => match registry.manifest(digest).await {
            Ok(_) => Ok(*digest == wanted),
            Err(remote::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(refused(error)),
        },
    }
}

const PUSHING: &str = "pushing layout";

fn open(folder: &Path) -> Result<Layout, Hinted> {
    several::check_single(folder)?;
    Layout::open(folder).map_err(unread)
}

/// The layout cannot be read.
fn unread(error: oci::Error) -> Hinted {
    Hinted::doing(PUSHING, error).hinting("a layout is what `builder build -o` writes")
}

/// The registry cannot be reached, or refuses.
fn refused(error: remote::Error) -> Hinted {
    let hint = error.hint();
    Hinted::doing(PUSHING, error).hinting(hint)
}

/// The folder with the signed package index, if the layout has one.
fn evidence_in(layout: &Path) -> Result<Option<PathBuf>, At> {
    let folder = layout.join(evidence::FOLDER);
    match fs::symlink_metadata(&folder) {
        Ok(_) => Ok(Some(folder)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(At::reading(&folder)(error)),
    }
}

async fn push_evidence(
    folder: &Path,
    subject: Descriptor,
    registry: &Registry,
) -> Result<(), Hinted> {
    let files = evidence::list(folder).map_err(At::reading(folder));
    let files = files.map_err(|at| Hinted::doing(PUSHING, at))?;
    let mut layers = Vec::new();
    for evidence::File { name, limit } in files {
        let bytes = at::read(&folder.join(&name), limit);
        let bytes = bytes.map_err(|at| Hinted::doing(PUSHING, at))?;
        let layer = registry.push_blob(media::OCTETS, &bytes).await;
        let mut layer = layer.map_err(refused)?;
        let title = (media::TITLE.to_owned(), name);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_that_cannot_be_read_is_not_absent() {
        let layout = tempfile::tempdir().unwrap();
        assert_eq!(evidence_in(layout.path()).unwrap(), None);
        let place = layout.path().join(evidence::FOLDER);
        std::os::unix::fs::symlink("/nowhere", &place).unwrap();
        assert_eq!(evidence_in(layout.path()).unwrap(), Some(place));
        let file = layout.path().join("file");
        fs::write(&file, "").unwrap();
        let error = evidence_in(&file).unwrap_err().to_string();
        assert!(error.ends_with("Not a directory (os error 20)"), "{error}");
    }
}
