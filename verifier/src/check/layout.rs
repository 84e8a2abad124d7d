//! A layout and all that its index names.

use std::collections::HashSet;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use console::at::At;
use console::hint::Hinted;
use content::{limits, open_regular, read_limited};
use oci::{AnyDigest, Config, Descriptor, Index, Manifest, Verify as _, archive, layout, media};

use super::{Judgement, refusal};
use crate::Error;

/// Indexes in indexes; builders nest two.
const DEPTH: usize = 8;

/// Documents of Docker, which list further blobs as those of OCI do.
const DOCKER: [&str; 2] = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

/// The beginnings of the media types of layers with files, of OCI and Docker.
const FILES: [&str; 2] = [
    "application/vnd.oci.image.layer.",
    "application/vnd.docker.image.rootfs.",
];

/// Why the walk over a layout ends early.
enum Stop {
    /// The layout is invalid.
    Refused(String),
    /// The layout cannot be read.
    Unknown(Error),
}

type Walk<T = ()> = Result<T, Stop>;

/// A document that is invalid.
fn invalid(error: oci::Error) -> Stop {
    Stop::Refused(error.to_string())
}

impl From<At> for Stop {
    fn from(error: At) -> Self {
        Self::Unknown(error.into())
    }
}

/// A layout (OCI image specification, image-layout.md).
pub(super) struct Layout<'a> {
    folder: &'a Path,
    /// Blobs that match their descriptor: digest, size and media type.
    seen: HashSet<(AnyDigest, u64, String)>,
    /// Layers that match their diff ID.
    unpacked: HashSet<(AnyDigest, AnyDigest)>,
}

impl<'a> Layout<'a> {
    pub(super) fn new(folder: &'a Path) -> Self {
        Self {
            folder,
            seen: HashSet::new(),
            unpacked: HashSet::new(),
        }
    }

    pub(super) fn judge(mut self) -> Result<Judgement, Error> {
        match self.walk() {
            Ok(()) => Ok(Judgement::Accepted),
            Err(Stop::Refused(reason)) => Ok(Judgement::Refused(reason)),
            Err(Stop::Unknown(error)) => Err(error),
        }
    }

    fn walk(&mut self) -> Walk {
        let file = |name| read(&self.folder.join(name), limits::MANIFEST);
        layout::check_header(&file("oci-layout")?).map_err(invalid)?;
        let index = Index::parse_any(&file("index.json")?).map_err(invalid)?;
        self.manifests(&index, DEPTH)
    }

    fn manifests(&mut self, index: &Index<AnyDigest>, depth: usize) -> Walk {
        let Some(depth) = depth.checked_sub(1) else {
            let reason = format!("more than {DEPTH} indexes in each other");
            return Err(Stop::Refused(reason));
        };
        for descriptor in &index.manifests {
            match descriptor.media_type.as_str() {
                _ if !self.is_new(descriptor) => {}
                media::INDEX => {
                    let bytes = self.document(descriptor)?;
                    self.manifests(&Index::parse_any(&bytes).map_err(invalid)?, depth)?;
                }
                media::MANIFEST => {
                    let bytes = self.document(descriptor)?;
                    self.manifest(&Manifest::parse_any(&bytes).map_err(invalid)?)?;
                }
                other if DOCKER.contains(&other) => return Err(unsupported_type(descriptor)),
                _ => self.blob(descriptor)?,
            }
        }
        Ok(())
    }

    fn manifest(&mut self, manifest: &Manifest<AnyDigest>) -> Walk {
        for layer in &manifest.layers {
            if self.is_new(layer) {
                self.blob(layer)?;
            }
        }
        if manifest.config.media_type != media::CONFIG {
            return self.blob(&manifest.config);
        }
        let config = self.document(&manifest.config)?;
        let config = Config::<AnyDigest>::parse_any(&config).map_err(invalid)?;
        let (layers, diff_ids) = (&manifest.layers, &config.rootfs.diff_ids);
        if layers.len() != diff_ids.len() {
            let error = oci::Error::diff_ids(layers.len(), diff_ids.len());
            return Err(invalid(error));
        }
        for (layer, diff_id) in layers.iter().zip(diff_ids) {
            let pair = (layer.digest.clone(), diff_id.clone());
            if self.unpacked.insert(pair) {
                self.unpack(layer, diff_id)?;
            }
        }
        Ok(())
    }

    fn is_new(&mut self, descriptor: &Descriptor<AnyDigest>) -> bool {
        self.seen.insert((
            descriptor.digest.clone(),
            descriptor.size,
            descriptor.media_type.clone(),
        ))
    }

    /// A document, which is checked against its descriptor.
    fn document(&self, descriptor: &Descriptor<AnyDigest>) -> Walk<Vec<u8>> {
        let bytes = read(&self.path(&descriptor.digest), limits::MANIFEST)?;
        let is_same = descriptor.digest.is_of(&bytes);
        let is_same = is_same.ok_or_else(|| unsupported(&descriptor.digest))?;
        match is_same && bytes.len() as u64 == descriptor.size {
            true => Ok(bytes),
            false => Err(differs(descriptor)),
        }
    }

    /// Checks a blob of any size against its descriptor.
    fn blob(&self, descriptor: &Descriptor<AnyDigest>) -> Walk {
        let digest = &descriptor.digest;
        let path = self.path(digest);
        let mut hasher = digest.hasher().ok_or_else(|| unsupported(digest))?;
        let file = open_regular(&path).map_err(At::reading(&path))?;
        let mut file = file.take(descriptor.size.saturating_add(1));
        let size = io::copy(&mut file, &mut hasher).map_err(At::reading(&path))?;
        match size == descriptor.size && hasher.finish() == *digest {
            true => Ok(()),
            false => Err(differs(descriptor)),
        }
    }

    /// Reads a layer, and compares its diff ID. A layer without files has none that could be compared: cosign stores
    /// signatures as layers of an image, and so does what it saves.
    fn unpack(&self, layer: &Descriptor<AnyDigest>, diff_id: &AnyDigest) -> Walk {
        let media_type = layer.media_type.as_str();
        if ![media::LAYER_TAR, media::LAYER_GZIP, media::LAYER_ZSTD].contains(&media_type) {
            return match FILES.iter().any(|prefix| media_type.starts_with(prefix)) {
                true => Err(unsupported_type(layer)),
                false => Ok(()),
            };
        }
        let path = self.path(&layer.digest);
        let open = || open_regular(&path).map_err(At::reading(&path));
        let stop = |error| match refusal(&path, error) {
            Ok(reason) => Stop::Refused(reason),
            Err(error) => Stop::Unknown(error),
        };
        let found = archive::read(open()?, |_| Ok::<_, oci::Error>(())).map_err(stop)?;
        let found = match diff_id {
            AnyDigest::Sha256(_) => AnyDigest::Sha256(found),
            other => {
                let mut hasher = other.hasher().ok_or_else(|| unsupported(other))?;
                // Writing to a hasher does not fail.
                let mut update = |bytes: &[u8]| drop(hasher.write_all(bytes));
                archive::decompress(open()?, &mut update).map_err(stop)?;
                hasher.finish()
            }
        };
        match found == *diff_id {
            true => Ok(()),
            false => Err(Stop::Refused(format!(
                "layer {}: expected diff ID {diff_id}, found {found}",
                layer.digest
            ))),
        }
    }

    fn path(&self, digest: &AnyDigest) -> PathBuf {
        let (algorithm, encoded) = digest.parts();
        self.folder.join("blobs").join(algorithm).join(encoded)
    }
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, At> {
    open_regular(path)
        .and_then(|file| read_limited(file, limit).map_err(io::Error::other))
        .map_err(At::reading(path))
}

fn differs(descriptor: &Descriptor<AnyDigest>) -> Stop {
    let digest = &descriptor.digest;
    Stop::Refused(format!("blob {digest} differs from its descriptor"))
}

fn unsupported(digest: &AnyDigest) -> Stop {
    let (algorithm, _) = digest.parts();
    let message = format!("verifying {digest}: digests by {algorithm} are not supported");
    Stop::Unknown(Hinted::new(message).into())
}

fn unsupported_type(descriptor: &Descriptor<AnyDigest>) -> Stop {
    let (digest, media_type) = (&descriptor.digest, &descriptor.media_type);
    let message = format!("verifying {digest}: media type {media_type} is not supported");
    Stop::Unknown(Hinted::new(message).into())
}
