//! Pushes a capsule to a registry.

use console::hint::Hinted;
use console::progress::{Meter, Progress};
use oci::{Descriptor, ImageRef, Manifest, Reference, Repository, media};
use remote::{Registry, Transport};

use crate::error::Error;
use crate::inputs::Assembled;

/// Describes the image that a capsule is to refer to.
///
/// # Errors
/// The registry does not have it, or it is not the manifest of an image.
pub async fn subject(image: &ImageRef, transport: &Transport) -> Result<Descriptor, Hinted> {
    let registry = Registry::connect(&image.repository, transport).map_err(refused)?;
    let manifest = registry.manifest(&image.digest).await.map_err(refused)?;
    Manifest::parse(&manifest).map_err(|error| {
        let doing = format_args!("attaching capsule to {image}");
        Hinted::doing(doing, error).hinting("name the image that `builder push` printed")
    })?;
    Ok(Descriptor::of(media::MANIFEST, &manifest))
}

/// Pushes a capsule under a name. Returns its reference by digest.
///
/// # Errors
/// The registry refuses it, or a blob cannot be read. What was pushed before the error stays; pushing again completes it.
pub async fn push(
    capsule: &Assembled,
    reference: &Reference,
    transport: &Transport,
    progress: &Progress,
) -> Result<ImageRef, Error> {
    let step = progress.step("push the capsule");
    let pushed = push_counted(capsule, reference, transport, step.meter());
    step.end(pushed.await)
}

async fn push_counted(
    capsule: &Assembled,
    reference: &Reference,
    transport: &Transport,
    meter: Meter,
) -> Result<ImageRef, Error> {
    let repository = &reference.repository;
    let (registry, manifest) = push_blobs(capsule, repository, transport, meter).await?;
    let pushed = registry.push_manifest(&reference.target, &manifest, media::MANIFEST);
    let digest = pushed.await.map_err(refused)?;
    Ok(named(&reference.repository, digest))
}

/// Pushes a capsule as a referrer of its subject. Returns its reference by digest.
///
/// # Errors
/// As [`push`].
pub async fn attach(
    capsule: &Assembled,
    repository: &Repository,
    transport: &Transport,
    progress: &Progress,
) -> Result<ImageRef, Error> {
    let step = progress.step("push the capsule");
    let attached = attach_counted(capsule, repository, transport, step.meter());
    step.end(attached.await)
}

async fn attach_counted(
    capsule: &Assembled,
    repository: &Repository,
    transport: &Transport,
    meter: Meter,
) -> Result<ImageRef, Error> {
    let (registry, _) = push_blobs(capsule, repository, transport, meter).await?;
    let attached = registry.attach_referrer(capsule.manifest.clone());
    attached.await.map_err(refused)?;
    let (_, descriptor) = capsule.manifest_bytes()?;
    Ok(named(repository, descriptor.digest))
}

/// Pushes the blobs. Returns the manifest's bytes.
async fn push_blobs(
    capsule: &Assembled,
    repository: &Repository,
    transport: &Transport,
    meter: Meter,
) -> Result<(Registry, Vec<u8>), Error> {
    let (manifest, _) = capsule.manifest_bytes()?;
    meter.of(capsule.sizes());
    let registry = Registry::connect(repository, transport).map_err(refused)?;
    let registry = registry.counting(move |bytes| meter.add(bytes));
    let blobs = capsule.blobs.iter();
    let blobs = blobs.map(|blob| (blob.path.clone(), blob.descriptor.clone()));
    let pushed = registry.push_blob_files(blobs);
    pushed.await.map_err(refused)?;
    let empty = registry.push_blob(media::EMPTY, b"{}");
    empty.await.map_err(refused)?;
    Ok((registry, manifest))
}

fn named(repository: &Repository, digest: content::Digest) -> ImageRef {
    ImageRef {
        repository: repository.clone(),
        digest,
    }
}

fn refused(error: remote::Error) -> Hinted {
    let hint = error.hint();
    Hinted::doing("pushing capsule", error).hinting(hint)
}
