//! The names of inputs in a store.

use std::fmt;

use content::{Digest, Hasher};

use crate::lock::archives::Archive;
use crate::lock::crates::{Crate, Named};
use crate::lock::modules::Module;
use crate::lock::packages::Package;
use crate::lock::wheels::Wheel;

/// The kinds of inputs that a store keeps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A crate archive of the public registry.
    Crate,
    /// A package of a Debian archive.
    Package,
    /// A manifest, configuration or layer of a base image. Its name is the repository.
    Blob,
    /// A file of a Debian archive's signed package index. Its version is the suite.
    Index,
    /// An archive of a toolchain. Its name is its URL, and it has no version.
    Archive,
    /// A file of a Go module.
    Module,
    /// A Python package. Its name is that of the file, which has the version, too.
    Wheel,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Crate,
        Self::Package,
        Self::Index,
        Self::Archive,
        Self::Blob,
        Self::Module,
        Self::Wheel,
    ];

    /// The folder of the inputs of this kind. The author of a capsule chose the names of what is in it, so that it is kept apart:
    /// only packages and indexes are signed.
    pub(super) const fn folder(self, origin: Origin) -> &'static str {
        match (self, origin) {
            (Self::Package, _) => "packages",
            (Self::Index, _) => "indices",
            (Self::Crate, Origin::Fetched) => "crates",
            (Self::Archive, Origin::Fetched) => "archives",
            (Self::Blob, Origin::Fetched) => "blobs",
            (Self::Module, Origin::Fetched) => "modules",
            (Self::Wheel, Origin::Fetched) => "wheels",
            (Self::Crate, Origin::Capsule) => "capsule-crates",
            (Self::Archive, Origin::Capsule) => "capsule-archives",
            (Self::Blob, Origin::Capsule) => "capsule-blobs",
            (Self::Module, Origin::Capsule) => "capsule-modules",
            (Self::Wheel, Origin::Capsule) => "capsule-wheels",
        }
    }
}

/// Where the inputs of a store come from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Origin {
    /// They were fetched by their names from the places that this machine's user trusts for these.
    Fetched,
    /// They were in a capsule.
    Capsule,
}

impl Origin {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::Fetched, Self::Capsule];

    /// The folder of the files of git repositories, which are kept as folders.
    pub(super) const fn trees(self) -> &'static str {
        match self {
            Self::Fetched => "trees",
            Self::Capsule => "capsule-trees",
        }
    }

    /// The folder of unpacked archives, by their URLs.
    pub(super) const fn unpacked(self) -> &'static str {
        match self {
            Self::Fetched => "unpacked",
            Self::Capsule => "capsule-unpacked",
        }
    }
}

/// The key of an input. The same bytes under another name or version are another input, because only this name and
/// version were checked when the input was kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Key<'a> {
    /// The kind.
    pub kind: Kind,
    /// The name in a lock.
    pub name: &'a str,
    /// The version in a lock.
    pub version: &'a str,
    /// SHA-256 of the bytes.
    pub digest: Digest,
}

impl Key<'_> {
    /// The file name: the digest of the bytes, and a digest of name and version, which may have any characters and any
    /// length.
    pub(super) fn file(&self) -> String {
        let mut named = Hasher::new();
        for part in [self.name, self.version] {
            named.update(&(part.len() as u64).to_be_bytes());
            named.update(part.as_bytes());
        }
        format!("{}-{}", self.digest.hex(), named.finish().hex())
    }
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Crate => "crate",
            Kind::Package => "package",
            Kind::Index => "index file",
            Kind::Archive => return write!(f, "archive {}", self.name),
            Kind::Blob => "blob of base image",
            Kind::Module => "module",
            Kind::Wheel => return write!(f, "wheel {}", self.name),
        };
        write!(f, "{kind} {} {}", self.name, self.version)
    }
}

impl Archive {
    /// The key of its bytes.
    pub fn key(&self) -> Key<'_> {
        Key {
            kind: Kind::Archive,
            name: &self.url,
            version: "",
            digest: self.sha256,
        }
    }
}

impl Wheel {
    /// The key of its file.
    pub fn key(&self) -> Key<'_> {
        Key {
            kind: Kind::Wheel,
            name: self.file.as_str(),
            version: "",
            digest: self.sha256,
        }
    }
}

impl Package {
    /// The key of its `.deb`.
    pub fn key(&self) -> Key<'_> {
        Key {
            kind: Kind::Package,
            name: &self.name,
            version: &self.version,
            digest: self.sha256,
        }
    }
}

impl Crate {
    /// The key of its archive.
    pub fn key(&self) -> Key<'_> {
        Key {
            kind: Kind::Crate,
            name: self.name.as_str(),
            version: self.version.as_str(),
            digest: self.sha256,
        }
    }
}

impl Module {
    /// The key of its file.
    pub fn key(&self) -> Key<'_> {
        Key {
            kind: Kind::Module,
            name: self.name.as_str(),
            version: self.version.as_str(),
            digest: self.sha256,
        }
    }
}

impl Named {
    /// The key of its archive.
    pub fn key(&self) -> Key<'_> {
        Key {
            kind: Kind::Crate,
            name: self.name.as_str(),
            version: self.version.as_str(),
            digest: self.sha256,
        }
    }
}
