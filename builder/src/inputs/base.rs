//! The base image: fetched by digest from its registry, and kept in the store.

mod documents;

use std::fs::File;
use std::path::PathBuf;

use console::hint::Hinted;
use content::{Digest, limits};
use oci::{Config, Descriptor, Execution, ImageRef, media};
use remote::{Registry, Transport};

use super::store::{Key, Kind};
use super::supply::Supply;
use crate::error::Error;
use crate::lock::base::{Blob, LockedBase};
use documents::{Index, Manifest};

/// A base image whose blobs are in the store.
#[derive(Clone, Debug)]
pub struct BaseImage {
    /// Its name.
    pub reference: ImageRef,
    /// The digest of its manifest, which differs from that of an index.
    pub manifest: Digest,
    /// Its layers, lowest first, each with its file in the store, which is not checked yet.
    pub layers: Vec<(Descriptor, PathBuf)>,
    /// The digests of the archives in them.
    pub diff_ids: Vec<Digest>,
    /// How its containers are started.
    pub execution: Execution,
}

/// Resolves a base image to its blobs, which are fetched into the store.
///
/// # Errors
/// The registry does not have the image, or it is not one for `architecture` that can be a base.
pub(super) fn resolve(
    reference: &ImageRef,
    architecture: &str,
    supply: &Supply<'_>,
) -> Result<LockedBase, Error> {
    let source = Source::of(reference, supply);
    let top = source.manifest(reference.digest)?;
    let (index, manifest) = match Index::is_one(&top) {
        false => (None, top),
        true => {
            let found = Index::parse(&top).and_then(|index| index.manifest(architecture));
            let digest = found.map_err(|fault| unusable(reference, fault))?;
            (Some(Blob::of(&top)), source.manifest(digest)?)
        }
    };
    let parsed = Manifest::parse(&manifest).map_err(|fault| unusable(reference, fault))?;
    let locked = LockedBase {
        index,
        manifest: Blob::of(&manifest),
        config: parsed.config(),
        layers: parsed.layers(),
    };
    gather(reference, &locked, architecture, supply)?;
    Ok(locked)
}

/// Fetches the blobs of a locked base image that the store does not have.
///
/// # Errors
/// A blob cannot be fetched, the documents do not name the locked blobs, or the image cannot be a base.
pub(super) fn gather(
    reference: &ImageRef,
    locked: &LockedBase,
    architecture: &str,
    supply: &Supply<'_>,
) -> Result<BaseImage, Error> {
    let source = Source::of(reference, supply);
    if let Some(index) = &locked.index {
        let index = source.document(reference.digest, index)?;
        let named = Index::parse(&index).and_then(|index| index.manifest(architecture));
        let named = named.map_err(|fault| unusable(reference, fault))?;
        same(locked.manifest.sha256, named)?;
    }
    let top = locked
        .index
        .map_or(locked.manifest.sha256, |index| index.sha256);
    same(top, reference.digest)?;
    let manifest = source.document(locked.manifest.sha256, &locked.manifest)?;
    let manifest = Manifest::parse(&manifest).map_err(|fault| unusable(reference, fault))?;
    if manifest.config() != locked.config || manifest.layers() != locked.layers {
        return Err(other("the manifest names other blobs").into());
    }
    let config = source.blob(&manifest.config, "configuration")?;
    let config = supply.store.read(&config, manifest.config.size)?;
    let config = Config::parse(&config).map_err(|error| unusable(reference, error.to_string()))?;
    documents::check(&config, architecture, manifest.layers.len())
        .map_err(|fault| unusable(reference, fault))?;
    let mut layers = Vec::new();
    for (index, layer) in manifest.layers.iter().enumerate() {
        let (count, all) = (index + 1, manifest.layers.len());
        let key = source.blob(layer, &format!("layer {count} of {all}"))?;
        layers.push((layer.clone(), supply.store.path(&key)));
    }
    Ok(BaseImage {
        reference: reference.clone(),
        manifest: locked.manifest.sha256,
        layers,
        diff_ids: config.rootfs.diff_ids,
        execution: config.config,
    })
}

/// Where the blobs of a base image come from.
struct Source<'a> {
    name: String,
    reference: &'a ImageRef,
    supply: &'a Supply<'a>,
}

impl<'a> Source<'a> {
    fn of(reference: &'a ImageRef, supply: &'a Supply<'a>) -> Self {
        Self {
            name: reference.repository.to_string(),
            reference,
            supply,
        }
    }

    fn key(&self, digest: Digest) -> Key<'_> {
        Key {
            kind: Kind::Blob,
            name: &self.name,
            version: "",
            digest,
        }
    }

    /// The manifest or index with this digest, which the registry is asked for if the store does not have it.
    fn manifest(&self, digest: Digest) -> Result<Vec<u8>, Error> {
        let key = self.key(digest);
        if let Some(size) = self.supply.store.size(&key)? {
            return Ok(self.supply.store.read(&key, size.min(limits::MANIFEST))?);
        }
        let name = format!("fetch the base image {}", self.name);
        let bytes = self.supply.during(name, |_| {
            let registry = self.registry()?;
            let runtime = self.supply.archive.runtime;
            let bytes = runtime.block_on(registry.manifest(&digest));
            Ok::<_, Error>(bytes.map_err(unfetched)?)
        })?;
        self.supply
            .store
            .keep(&key, &bytes[..], bytes.len() as u64)?;
        Ok(bytes)
    }

    /// The locked manifest or index.
    fn document<const LIMIT: u64>(
        &self,
        digest: Digest,
        locked: &Blob<LIMIT>,
    ) -> Result<Vec<u8>, Error> {
        let bytes = self.manifest(digest)?;
        match Blob::<LIMIT>::of(&bytes) == *locked {
            true => Ok(bytes),
            false => Err(other("a document has another digest or size").into()),
        }
    }

    /// The key of a blob, which is fetched if the store does not have it.
    fn blob(&self, descriptor: &Descriptor, what: &str) -> Result<Key<'_>, Error> {
        let store = self.supply.store;
        let key = self.key(descriptor.digest);
        if store.size(&key)? == Some(descriptor.size) {
            return Ok(key);
        }
        let scratch = store.scratch()?;
        let path = scratch.path().join("blob");
        let name = format!("fetch the base image: {what}");
        self.supply.during(name, |step| {
            let meter = step.meter();
            meter.of([descriptor.size]);
            let registry = self.registry()?.counting(move |bytes| meter.add(bytes));
            let fetched = registry.blob_to(descriptor, &path);
            let fetched = self.supply.archive.runtime.block_on(fetched);
            Ok::<_, Error>(fetched.map_err(unfetched)?)
        })?;
        let file = File::open(&path).map_err(crate::at::At::reading(&path))?;
        store.keep(&key, file, descriptor.size)?;
        Ok(key)
    }

    fn registry(&self) -> Result<Registry, Error> {
        self.supply.check_network("base image")?;
        let transport = Transport::Https { extra_ca: None };
        Ok(Registry::connect(&self.reference.repository, &transport).map_err(unfetched)?)
    }
}

fn unfetched(error: remote::Error) -> Hinted {
    let hint = error.hint();
    Hinted::doing("fetching base image", error).hinting(hint)
}

fn unusable(reference: &ImageRef, fault: impl std::fmt::Display) -> Hinted {
    Hinted::new(format_args!("reading base image {reference}: {fault}")).hinting(
        "`base` in Image.toml names an image for Linux by its digest, in OCI's or Docker's format, with layers in tar, gzip or zstd",
    )
}

fn same(expected: Digest, found: Digest) -> Result<(), Hinted> {
    match expected == found {
        true => Ok(()),
        false => Err(other(&format!("expected {expected}, found {found}"))),
    }
}

/// The lock names another base image than is wanted.
pub(super) fn other(fault: &str) -> Hinted {
    Hinted::new(format_args!("checking Image.lock: base image: {fault}"))
        .hinting(crate::lock::AGAIN)
}

/// The media types of layers that an image may have, and OCI's name of each.
pub(super) const LAYERS: [(&str, &str); 6] = [
    (media::LAYER_TAR, media::LAYER_TAR),
    (media::LAYER_GZIP, media::LAYER_GZIP),
    (
        "application/vnd.docker.image.rootfs.diff.tar",
        media::LAYER_TAR,
    ),
    (
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        media::LAYER_GZIP,
    ),
    (media::LAYER_ZSTD, media::LAYER_ZSTD),
    // Of BuildKit and others, not of Docker's specification.
    (
        "application/vnd.docker.image.rootfs.diff.tar.zstd",
        media::LAYER_ZSTD,
    ),
];

#[cfg(test)]
mod tests;
