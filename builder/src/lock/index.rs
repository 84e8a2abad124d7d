//! The signed package index that a lock was resolved from.

use content::Digest;
use serde::{Deserialize, Serialize};

use super::size::at_most;
use crate::inputs::debian::{Evidence, Signature, evidence};
use crate::inputs::store::{Key, Kind};
use crate::lock::time::Time;

/// Bytes of a release file; Debian's are 150 KB.
pub(crate) const RELEASE: u64 = 4 << 20;
/// Bytes of a package list in xz; Debian's are 10 MB.
pub(crate) const PACKAGES: u64 = 64 << 20;
/// Bytes of a keyring; Debian's is 60 KB.
pub(crate) const KEYRING: u64 = 4 << 20;

/// A signed package index.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SignedIndex {
    /// When it was locked. Where an archive limits how long an index is valid, this time is compared.
    pub date: Time,
    /// The release file, `InRelease`.
    pub release: IndexFile<RELEASE>,
    /// The package list, `Packages.xz`.
    pub packages: IndexFile<PACKAGES>,
    /// The keyring that has the signers' keys.
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
    /// Its bytes.
    #[serde(deserialize_with = "at_most::<LIMIT, _>")]
    pub size: u64,
}

impl<const LIMIT: u64> IndexFile<LIMIT> {
    fn of(bytes: &[u8]) -> Self {
        Self {
            sha256: Digest::of(bytes),
            size: bytes.len() as u64,
        }
    }
}

/// A file of the index as it is looked for.
pub(crate) struct Wanted {
    pub(crate) name: &'static str,
    pub(crate) sha256: Digest,
    pub(crate) size: u64,
}

impl Wanted {
    /// Its name in a store.
    pub(crate) fn key<'a>(&self, suite: &'a str) -> Key<'a> {
        Key {
            kind: Kind::Index,
            name: self.name,
            version: suite,
            digest: self.sha256,
        }
    }
}

impl SignedIndex {
    /// Names what was found to be signed at `date`.
    pub(crate) fn of(evidence: &Evidence, signatures: Vec<Signature>, date: Time) -> Self {
        Self {
            date,
            release: IndexFile::of(&evidence.release),
            packages: IndexFile::of(&evidence.packages),
            keyring: IndexFile::of(&evidence.keyring),
            signatures,
        }
    }

    /// The same, with the date of an earlier lock of the same index: the same inputs are always the same
    /// text.
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

    /// The release file as it is looked for.
    pub(crate) fn release(&self) -> Wanted {
        let IndexFile { sha256, size } = self.release;
        let name = evidence::RELEASE;
        Wanted { name, sha256, size }
    }

    /// The package list as it is looked for.
    pub(crate) fn packages(&self) -> Wanted {
        let IndexFile { sha256, size } = self.packages;
        let name = evidence::PACKAGES;
        Wanted { name, sha256, size }
    }

    /// The keyring as it is looked for.
    pub(crate) fn keyring(&self) -> Wanted {
        let IndexFile { sha256, size } = self.keyring;
        let name = evidence::KEYRING;
        Wanted { name, sha256, size }
    }
}
