//! Debian packages as a lock names them.

mod path;
mod source;

use content::Digest;
use serde::{Deserialize, Serialize};

pub use path::{ArchivePath, InvalidPath};
pub use source::{InvalidSource, SourcePackage};

/// Maximum size of a `.deb`, in bytes.
const PACKAGE: u64 = 1 << 30;

/// A package of the build root.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// The suite that it was taken from, if the lock names several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// The source package that it was built from. Earlier versions of this program did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourcePackage>,
    /// Its version.
    pub version: String,
    /// The path below the archive's address.
    pub path: ArchivePath,
    /// SHA-256 of the `.deb`.
    pub sha256: Digest,
    /// Size of the `.deb` in bytes.
    #[serde(deserialize_with = "super::size::at_most::<{ PACKAGE }, _>")]
    pub size: u64,
}
