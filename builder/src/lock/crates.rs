//! Crates as locks name them.

mod name;

use std::fmt;

use content::Digest;
use serde::{Deserialize, Serialize};

pub use name::{CrateName, CrateVersion, InvalidCrate};

/// Maximum size of a crate archive, in bytes.
pub(crate) const ARCHIVE: u64 = 64 << 20;

/// A crate of the public registry.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Crate {
    /// Its name.
    pub name: CrateName,
    /// Its version.
    pub version: CrateVersion,
    /// SHA-256 of the `.crate`, as `Cargo.lock` has it.
    pub sha256: Digest,
    /// Size of the `.crate` in bytes.
    #[serde(deserialize_with = "crate::lock::size::at_most::<{ ARCHIVE }, _>")]
    pub size: u64,
}

impl Crate {
    /// The crate as `Cargo.lock` names it.
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

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}
