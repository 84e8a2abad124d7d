//! The signed package index that a lock was resolved from.

use content::Digest;
use serde::{Deserialize, Serialize};

use super::signature::Signature;
use super::size::at_most;
use super::time::Time;

/// Maximum size of a release file, in bytes; Debian's have 150 KB.
pub(crate) const RELEASE: u64 = 4 << 20;
/// Maximum size of a package list in xz, in bytes; Debian's have 10 MB.
pub(crate) const PACKAGES: u64 = 64 << 20;
/// Maximum size of a keyring, in bytes; Debian's has 60 KB.
pub(crate) const KEYRING: u64 = 4 << 20;

/// A signed package index.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SignedIndex {
    /// When it was locked. An archive may limit how long an index is valid; that is compared with this time.
    pub date: Time,
    /// The release file, `InRelease`.
    pub release: IndexFile<RELEASE>,
    /// The package list, `Packages.xz`.
    pub packages: IndexFile<PACKAGES>,
    /// The keyring that contains the signers' keys.
    pub keyring: IndexFile<KEYRING>,
    /// The trusted signatures on the release file.
    #[serde(rename = "signature")]
    pub signatures: Vec<Signature>,
}

/// A file of the index, of at most `LIMIT` bytes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct IndexFile<const LIMIT: u64> {
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// Size in bytes.
    #[serde(deserialize_with = "at_most::<LIMIT, _>")]
    pub size: u64,
}

impl<const LIMIT: u64> IndexFile<LIMIT> {
    /// Describes a file with these bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self {
            sha256: Digest::of(bytes),
            size: bytes.len() as u64,
        }
    }
}

impl SignedIndex {
    /// This index, with the date of an earlier lock if that locked the same index: the same inputs always give the
    /// same text.
    #[must_use]
    pub(crate) fn dated_as(self, earlier: Option<&Self>) -> Self {
        match earlier {
            Some(earlier) if self.is_same(earlier) => earlier.clone(),
            _ => self,
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        let date = other.date;
        *other
            == Self {
                date,
                ..self.clone()
            }
    }
}
