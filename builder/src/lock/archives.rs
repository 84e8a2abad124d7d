//! Archives of toolchains as locks name them.

use content::Digest;
use serde::{Deserialize, Serialize};

/// Maximum size of an archive, in bytes; those of compilers have up to 500 MB.
pub(crate) const ARCHIVE: u64 = 1 << 30;

/// An archive.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// Where it is fetched from.
    pub url: String,
    /// SHA-256 of the archive.
    pub sha256: Digest,
    /// Size of the archive in bytes.
    #[serde(deserialize_with = "super::size::at_most::<{ ARCHIVE }, _>")]
    pub size: u64,
    /// Digest of the unpacked folder.
    pub tree: Digest,
}
