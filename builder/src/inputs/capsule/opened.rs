//! A capsule that inputs are taken from.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use console::hint::Hinted;
use content::{Digest, limits, read_checked};
use oci::{Descriptor, ImageRef, Index, Manifest, media};
use remote::{Registry, Transport};
use scratch::Scratch;
use tokio::runtime::Handle;

use super::name::CapsuleName;
use super::piece::{ENTRIES, Piece};
use crate::at::At;
use crate::inputs::store::Store;
use crate::untrusted::shown;

/// The annotation with the digest of the lock that a capsule was made for.
pub(super) const LOCK: &str = "dev.countersign.lock";
/// The annotation of a layer that says which input it is.
pub(super) const INPUT: &str = "dev.countersign.input";

/// The media type of a layer with many inputs.
pub(super) const BUNDLE: &str = "application/vnd.countersign.capsule.bundle.v1.tar";

/// Maximum number of layers with many inputs: crates, modules, and files of git repositories.
const BUNDLES: usize = 3;

const LAYOUT: &str = "oci-layout";
const INDEX: &str = "index.json";
const BLOBS: &str = "blobs/sha256";

const OTHER: &str = "a capsule is what `builder capsule` writes or pushes: an OCI artifact, in a file as an uncompressed tar archive";

/// An open capsule. Nothing in it is trusted.
pub struct Capsule {
    name: String,
    lock: Option<Digest>,
    layers: BTreeMap<Digest, Descriptor>,
    /// The members of layers with many inputs.
    bundled: BTreeMap<Digest, Piece>,
    blobs: Blobs,
}

/// Where the blobs are.
enum Blobs {
    File(BTreeMap<Digest, Piece>),
    Registry(Box<Pulled>),
}

/// Blobs that are fetched when they are needed.
struct Pulled {
    registry: Registry,
    scratch: Scratch,
    runtime: Handle,
}

impl Capsule {
    /// Opens a capsule. Of a registry, blobs are fetched when they are needed, and kept in the store until this is dropped.
    ///
    /// # Errors
    /// It cannot be read, or is not a capsule.
    pub fn open(name: &CapsuleName, store: &Store, runtime: &Handle) -> Result<Self, Hinted> {
        let mut left = ENTRIES;
        let (blobs, manifest) = match name {
            CapsuleName::File(path) => in_file(path, &mut left)?,
            CapsuleName::Registry(reference) => {
                let pulled = Pulled::open(reference, store, runtime)?;
                let manifest = pulled.registry.manifest(&reference.digest);
                let manifest = pulled.runtime.block_on(manifest).map_err(unpulled)?;
                (Blobs::Registry(Box::new(pulled)), manifest)
            }
        };
        let name = name.to_string();
        let manifest = parse(&manifest).map_err(|fault| unusable(&name, fault))?;
        let layers = manifest.layers.into_iter();
        let mut capsule = Self {
            lock: manifest
                .annotations
                .get(LOCK)
                .and_then(|lock| lock.parse().ok()),
            layers: layers.map(|layer| (layer.digest, layer)).collect(),
            bundled: BTreeMap::new(),
            blobs,
            name,
        };
        capsule.open_bundles(&mut left)?;
        Ok(capsule)
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it was made for this lock, as it says itself.
    pub(super) fn is_for(&self, lock: &Digest) -> bool {
        self.lock.as_ref() == Some(lock)
    }

    /// The bytes that should have this digest, which the caller checks; `None` if the capsule does not have them.
    ///
    /// # Errors
    /// The registry does not answer, or has other bytes.
    pub(crate) fn find(&self, digest: &Digest) -> Result<Option<Piece>, Hinted> {
        match (self.bundled.get(digest), self.layers.get(digest)) {
            (Some(member), _) => Ok(Some(member.clone())),
            (None, Some(layer)) => self.blobs.find(layer),
            (None, None) => Ok(None),
        }
    }

    /// The layers of one input each, by digest.
    pub(super) fn alone(&self) -> impl Iterator<Item = &Digest> {
        let layers = self.layers.iter();
        let alone = layers.filter(|(_, layer)| layer.media_type != BUNDLE);
        alone.map(|(digest, _)| digest)
    }

    /// The members of layers with many inputs, of which the capsule may have `left`.
    fn open_bundles(&mut self, left: &mut usize) -> Result<(), Hinted> {
        let is_bundle = |layer: &&Descriptor| layer.media_type == BUNDLE;
        let bundles: Vec<_> = self.layers.values().filter(is_bundle).collect();
        check_bundles(bundles.len()).map_err(|fault| unusable(&self.name, fault))?;
        for layer in bundles {
            let digest = layer.digest;
            let found = self.blobs.find(layer)?;
            let found = found
                .ok_or_else(|| unusable(&self.name, format_args!("it has no blob {digest}")))?;
            let mut wrong = None;
            let bundled = &mut self.bundled;
            let read = found.each_file(left, |path, piece| match member(&path) {
                Some(digest) => drop(bundled.insert(digest, piece)),
                None => wrong = Some(path),
            });
            let reading =
                |fault: &dyn Display| unusable(&self.name, format_args!("blob {digest}: {fault}"));
            read.map_err(|error| reading(&error))?;
            if let Some(path) = wrong {
                let path = shown(&path.to_string_lossy());
                return Err(reading(&format_args!(
                    "expected names of 64 hex digits, found {path}"
                )));
            }
        }
        Ok(())
    }
}

fn check_bundles(count: usize) -> Result<(), String> {
    match count > BUNDLES {
        true => Err(format!(
            "expected at most {BUNDLES} layers with many inputs, found {count}"
        )),
        false => Ok(()),
    }
}

/// The digest that a member of a layer with many inputs is named by.
fn member(path: &Path) -> Option<Digest> {
    Digest::from_hex(path.to_str()?).ok()
}

fn parse(bytes: &[u8]) -> Result<Manifest, String> {
    let manifest = Manifest::parse(bytes).map_err(|error| shown(&error.to_string()))?;
    match manifest.artifact_type.as_deref() {
        Some(media::CAPSULE) => Ok(manifest),
        other => {
            let other = shown(other.unwrap_or("an image"));
            Err(format!("expected {}, found {other}", media::CAPSULE))
        }
    }
}

/// The blobs of an OCI layout in a tar archive, and its only manifest.
fn in_file(path: &Path, left: &mut usize) -> Result<(Blobs, Vec<u8>), Hinted> {
    let file = content::open_regular(path).and_then(Piece::whole);
    let name = console::at::shown(path);
    let file = file.map_err(|error| unread(At::reading(path)(error)))?;
    let (mut files, mut twice) = (BTreeMap::new(), None);
    let read = file.each_file(left, |path, piece| {
        let path = plain(path);
        // What is held in memory does not grow with files that are not used.
        if is_of_layout(&path) && files.insert(path.clone(), piece).is_some() {
            twice = Some(path);
        }
    });
    read.map_err(|error| unusable(&name, error))?;
    if let Some(path) = twice {
        let path = shown(&path.to_string_lossy());
        return Err(unusable(&name, format_args!("it has two files {path}")));
    }
    let manifest = Files(&files).manifest();
    let manifest = manifest.map_err(|fault| unusable(&name, fault))?;
    let blobs = files
        .into_iter()
        .filter_map(|(path, piece)| Some((blob(&path)?, piece)));
    Ok((Blobs::File(blobs.collect()), manifest))
}

/// The digest of the blob at a path.
fn blob(path: &Path) -> Option<Digest> {
    member(path.strip_prefix(BLOBS).ok()?)
}

fn is_of_layout(path: &Path) -> bool {
    [LAYOUT, INDEX].map(Path::new).contains(&path) || blob(path).is_some()
}

/// The path without `./` at its beginning, as other programs write it.
fn plain(path: PathBuf) -> PathBuf {
    path.strip_prefix(".").map_or(path.clone(), Path::to_owned)
}

/// The files of a layout.
struct Files<'a>(&'a BTreeMap<PathBuf, Piece>);

impl Files<'_> {
    /// The bytes of the only manifest.
    fn manifest(&self) -> Result<Vec<u8>, String> {
        let fault = |error: oci::Error| shown(&error.to_string());
        oci::layout::check_header(&self.document(LAYOUT)?).map_err(fault)?;
        let index = Index::parse(&self.document(INDEX)?).map_err(fault)?;
        let [named] = &index.manifests[..] else {
            let count = index.manifests.len();
            return Err(format!("expected one manifest, found {count}"));
        };
        let path = format!("{BLOBS}/{}", named.digest.hex());
        let manifest = self.0.get(Path::new(&path));
        let manifest = manifest.ok_or_else(|| format!("it has no manifest {}", named.digest))?;
        let read = read_checked(manifest.clone(), named.digest, named.size, limits::MANIFEST);
        read.map_err(|error| format!("manifest: {error}"))
    }

    fn document(&self, name: &str) -> Result<Vec<u8>, String> {
        let piece = self.0.get(Path::new(name));
        let piece = piece.ok_or_else(|| format!("it has no file {name}"))?;
        let read = content::read_limited(piece.clone(), limits::MANIFEST);
        read.map_err(|error| format!("{name}: {error}"))
    }
}

impl Blobs {
    fn find(&self, layer: &Descriptor) -> Result<Option<Piece>, Hinted> {
        match self {
            Self::File(pieces) => Ok(pieces.get(&layer.digest).cloned()),
            Self::Registry(pulled) => pulled.find(layer),
        }
    }
}

impl Pulled {
    fn open(reference: &ImageRef, store: &Store, runtime: &Handle) -> Result<Self, Hinted> {
        let transport = Transport::Https { extra_ca: None };
        let registry = Registry::connect(&reference.repository, &transport);
        Ok(Self {
            registry: registry.map_err(unpulled)?,
            scratch: store.scratch().map_err(unread)?,
            runtime: runtime.clone(),
        })
    }

    fn find(&self, layer: &Descriptor) -> Result<Option<Piece>, Hinted> {
        let path = self.scratch.path().join(layer.digest.hex());
        if !path.exists() {
            let fetched = self.registry.blob_to(layer, &path);
            match self.runtime.block_on(fetched) {
                Err(remote::Error::NotFound { .. }) => return Ok(None),
                fetched => fetched.map_err(unpulled)?,
            }
        }
        let piece = content::open_regular(&path).and_then(Piece::whole);
        let piece = piece.map_err(|error| Hinted::doing("reading a blob of the capsule", error))?;
        Ok(Some(piece))
    }
}

fn unread(error: impl std::error::Error + Send + Sync + 'static) -> Hinted {
    let hint = console::hint::of_file(&error);
    Hinted::doing("opening capsule", error).hinting(hint)
}

fn unpulled(error: remote::Error) -> Hinted {
    let hint = error.hint();
    Hinted::doing("fetching capsule", error).hinting(hint)
}

fn unusable(name: &str, fault: impl Display) -> Hinted {
    Hinted::new(format_args!("reading capsule {name}: {fault}")).hinting(OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capsule_has_three_layers_with_many_inputs() {
        check_bundles(3).unwrap();
        let refused = check_bundles(4).unwrap_err();
        assert_eq!(
            refused,
            "expected at most 3 layers with many inputs, found 4"
        );
    }

    #[test]
    fn only_files_of_a_layout_are_held() {
        let hex = "a".repeat(64);
        let kept = ["oci-layout", "index.json", &format!("blobs/sha256/{hex}")];
        assert!(kept.iter().all(|path| is_of_layout(Path::new(path))));
        let others = ["README", "blobs/sha256/a", "blobs/index.json"];
        let deep = [
            format!("blobs/sha256/{hex}/a"),
            format!("blobs/sha256/a/{hex}"),
        ];
        let mut others = others.into_iter().chain(deep.iter().map(String::as_str));
        assert!(!others.any(|path| is_of_layout(Path::new(path))));
    }
}
