//! Crates as locks name them.

mod name;

use std::fmt;

use content::Digest;
use serde::{Deserialize, Serialize};

use crate::inputs::store::{Key, Kind};
pub use name::{CrateName, CrateVersion, InvalidCrate};

/// Bytes of one crate archive.
pub(crate) const ARCHIVE: u64 = 64 << 20;

/// One crate by checksum.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Crate {
    /// Its name.
    pub name: CrateName,
    /// Its version.
    pub version: CrateVersion,
    /// SHA-256 of the `.crate`, as `Cargo.lock` has it.
    pub sha256: Digest,
    /// Bytes of the `.crate`.
    #[serde(deserialize_with = "crate::lock::size::at_most::<{ ARCHIVE }, _>")]
    pub size: u64,
}

impl Crate {
    /// Its name in a store.
    pub fn key(&self) -> Key<'_> {
        Key {
            kind: Kind::Crate,
            name: self.name.as_str(),
            version: self.version.as_str(),
            digest: self.sha256,
        }
    }

    /// What `Cargo.lock` says of it.
    pub fn named(&self) -> Named {
        Named {
            name: self.name.clone(),
            version: self.version.clone(),
            sha256: self.sha256,
        }
    }
}

/// A crate as `Cargo.lock` names it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Named {
    /// Its name.
    pub name: CrateName,
    /// Its version.
    pub version: CrateVersion,
    /// SHA-256 of the `.crate`.
    pub sha256: Digest,
}

impl Named {
    /// Its name in a store.
    pub fn key(&self) -> Key<'_> {
        Key {
            kind: Kind::Crate,
            name: self.name.as_str(),
            version: self.version.as_str(),
            digest: self.sha256,
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}
