//! The signed package indexes that a lock was resolved from.

use std::fmt;

use content::Digest;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::signature::Signature;
use super::size::at_most;
use super::time::Time;

/// Maximum size of a release file, in bytes; Debian's have 150 KB.
pub(crate) const RELEASE: u64 = 4 << 20;
/// Maximum size of a package list in xz, in bytes; Debian's have 10 MB.
pub(crate) const PACKAGES: u64 = 64 << 20;
/// Maximum size of a keyring, in bytes; Debian's has 60 KB.
pub(crate) const KEYRING: u64 = 4 << 20;

/// The signed package indexes, in the order of the suites in `Image.toml`. One is a table and several are an array of
/// tables that name their suites.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Indexes(pub Vec<SignedIndex>);

/// A signed package index.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SignedIndex {
    /// The suite, if there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
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

impl Indexes {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These indexes, each with its date in an earlier lock if that locked the same index: the same inputs always give the
    /// same text.
    #[must_use]
    pub(crate) fn dated_as(self, earlier: Option<&Self>) -> Self {
        let earlier = earlier.map_or(&[][..], |earlier| &earlier.0);
        let dated = |index: SignedIndex| {
            let same = earlier.iter().find(|earlier| index.is_same(earlier));
            same.cloned().unwrap_or(index)
        };
        Self(self.0.into_iter().map(dated).collect())
    }
}

impl Serialize for Indexes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0[..] {
            [one] if one.suite.is_none() => one.serialize(serializer),
            several => several.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Indexes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrSeveral)
    }
}

struct OneOrSeveral;

impl<'de> Visitor<'de> for OneOrSeveral {
    type Value = Indexes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table or an array of tables")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Indexes, A::Error> {
        let one = SignedIndex::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Indexes(vec![one]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Indexes, A::Error> {
        let mut several = Vec::new();
        while let Some(index) = sequence.next_element()? {
            several.push(index);
        }
        Ok(Indexes(several))
    }
}

impl SignedIndex {
    fn is_same(&self, other: &Self) -> bool {
        let date = other.date;
        *other
            == Self {
                date,
                ..self.clone()
            }
    }
}
