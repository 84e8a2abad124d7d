//! The inputs that a lock names, as a capsule holds them.

use std::path::PathBuf;

use content::Digest;

use crate::inputs::debian::evidence;
use crate::inputs::go;
use crate::inputs::store::{Key, Kind, Store};
use crate::lock::Lock;
use crate::lock::index::{IndexFile, SignedIndex};
use crate::lock::packages::Package;
use crate::spec::{ImageSpec, Section, Spec};

/// An input of a lock.
#[derive(Clone, Debug)]
pub(super) struct Part<'a> {
    kind: Kind,
    name: String,
    version: String,
    digest: Digest,
    pub(super) size: u64,
    pub(super) place: Place,
    /// The package, if it is one.
    pub(super) package: Option<&'a Package>,
}

/// Where an input is in a capsule.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    /// It is a layer.
    Alone,
    /// It is in the layer with all crates.
    WithCrates,
    /// It is in the layer with all modules.
    WithModules,
}

impl<'a> Part<'a> {
    fn new(key: &Key<'_>, size: u64, place: Place) -> Self {
        Self {
            kind: key.kind,
            name: key.name.to_owned(),
            version: key.version.to_owned(),
            digest: key.digest,
            size,
            place,
            package: None,
        }
    }

    /// Its key in the store.
    pub(super) fn key(&self) -> Key<'_> {
        Key {
            kind: self.kind,
            name: &self.name,
            version: &self.version,
            digest: self.digest,
        }
    }

    fn of_package(package: &'a Package) -> Self {
        Self {
            package: Some(package),
            ..Self::new(&package.key(), package.size, Place::Alone)
        }
    }
}

/// The files of the signed package indexes.
pub(super) fn indexes<'a>(spec: &Spec, lock: &'a Lock) -> Vec<Part<'a>> {
    let pairs = spec.root.sections().zip(&lock.indexes.0);
    let parts = pairs.flat_map(|(section, index)| of_index(section, index));
    parts.collect()
}

fn of_index<'a>(section: Section<'_>, index: &SignedIndex) -> [Part<'a>; 3] {
    let part = |name: &str, digest: Digest, size: u64| {
        let key = Key {
            kind: Kind::Index,
            name,
            version: section.suite,
            digest,
        };
        Part::new(&key, size, Place::Alone)
    };
    let SignedIndex {
        release,
        packages,
        keyring,
        ..
    } = index;
    [
        part(evidence::RELEASE, release.sha256, release.size),
        part(evidence::PACKAGES, packages.sha256, packages.size),
        part(evidence::KEYRING, keyring.sha256, keyring.size),
    ]
}

/// All others, except the files of git repositories.
pub(super) fn others<'a>(spec: &Spec, lock: &'a Lock) -> Vec<Part<'a>> {
    let packages = lock.packages.iter().chain(lock.contained());
    let mut parts: Vec<_> = packages.map(Part::of_package).collect();
    let archives = lock.archives.iter();
    parts.extend(archives.map(|one| Part::new(&one.key(), one.size, Place::Alone)));
    let images = spec.images.iter().zip(lock.of_each());
    parts.extend(images.flat_map(|(image, lock)| of_base(image, &lock)));
    let crates = lock.crates().iter();
    parts.extend(crates.map(|one| Part::new(&one.key(), one.size, Place::WithCrates)));
    let modules = lock.modules.iter();
    parts.extend(modules.map(|one| {
        let place = match go::is_toolchain(one) {
            true => Place::Alone,
            false => Place::WithModules,
        };
        Part::new(&one.key(), one.size, place)
    }));
    let of_images = lock.images.iter().flat_map(|image| &image.wheels);
    let wheels = lock.wheels.iter().chain(of_images);
    parts.extend(wheels.map(|one| Part::new(&one.key(), one.size, Place::Alone)));
    parts
}

/// The files in a store of all inputs, except those of git repositories. They may not exist.
pub(in crate::inputs) fn files(spec: &Spec, lock: &Lock, store: &Store) -> Vec<PathBuf> {
    let parts = indexes(spec, lock).into_iter().chain(others(spec, lock));
    parts.map(|part| store.path(&part.key())).collect()
}

/// The blobs of the base image.
fn of_base<'a>(image: &ImageSpec, lock: &Lock) -> Vec<Part<'a>> {
    let (Some(reference), Some(base)) = (&image.start.base, &lock.base) else {
        return Vec::new();
    };
    let name = reference.repository.to_string();
    let part = |digest: Digest, size: u64| {
        let key = Key {
            kind: Kind::Blob,
            name: &name,
            version: "",
            digest,
        };
        Part::new(&key, size, Place::Alone)
    };
    fn named<const LIMIT: u64>(file: &IndexFile<LIMIT>) -> (Digest, u64) {
        (file.sha256, file.size)
    }
    let documents = [Some(named(&base.manifest)), Some(named(&base.config))];
    let documents = [base.index.as_ref().map(named)]
        .into_iter()
        .chain(documents);
    let layers = base.layers.iter().map(named);
    let blobs = documents.flatten().chain(layers);
    blobs.map(|(digest, size)| part(digest, size)).collect()
}
