//! Go modules as locks name them: one entry for each line of `go.sum`, and one for the toolchain, which is a module too.

mod name;

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::Digest;
use serde::{Deserialize, Serialize};

pub use name::{InvalidModule, ModuleName, ModuleVersion, Part};

/// Maximum size of a module's archive, in bytes (golang.org/x/mod/zip, `MaxZipFile`).
pub(crate) const ARCHIVE: u64 = 500 << 20;

/// A file of a module: its archive, or its `go.mod`.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// The path of the module.
    pub name: ModuleName,
    /// The version, as `go.sum` writes it: with `/go.mod` at the end for the file `go.mod` alone.
    pub version: ModuleVersion,
    /// The hash that `go.sum` has; for the toolchain, the one that the module proxy gave when it was locked, which can be compared
    /// with the public checksum database.
    pub h1: H1,
    /// SHA-256 of the archive, or of `go.mod`.
    pub sha256: Digest,
    /// Its size in bytes.
    #[serde(deserialize_with = "crate::lock::size::at_most::<{ ARCHIVE }, _>")]
    pub size: u64,
}

impl Module {
    /// The module as `go.sum` names it.
    pub fn sum(&self) -> Sum {
        Sum {
            name: self.name.clone(),
            version: self.version.clone(),
            h1: self.h1,
        }
    }
}

/// A line of `go.sum`.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Sum {
    /// The path of the module.
    pub name: ModuleName,
    /// The version.
    pub version: ModuleVersion,
    /// The hash.
    pub h1: H1,
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

/// The hash of a module: SHA-256 over the names and digests of its files (golang.org/x/mod/sumdb/dirhash, `Hash1`).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct H1(Digest);

/// Text that is not such a hash.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected h1: and 32 bytes in base64")]
pub struct InvalidH1;

impl H1 {
    /// The hash with these bytes.
    pub fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }

    /// Its bytes in hex.
    pub fn hex(&self) -> String {
        self.0.hex()
    }
}

impl FromStr for H1 {
    type Err = InvalidH1;

    fn from_str(text: &str) -> Result<Self, InvalidH1> {
        let encoded = text.strip_prefix("h1:").ok_or(InvalidH1)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| InvalidH1)?;
        let bytes = bytes.try_into().map_err(|_| InvalidH1)?;
        Ok(Self(Digest::from_bytes(bytes)))
    }
}

impl TryFrom<String> for H1 {
    type Error = InvalidH1;

    fn try_from(text: String) -> Result<Self, InvalidH1> {
        text.parse()
    }
}

impl From<H1> for String {
    fn from(h1: H1) -> Self {
        h1.to_string()
    }
}

impl fmt::Display for H1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "h1:{}", STANDARD.encode(self.0.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_written_as_it_is_read() {
        let text = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let h1: H1 = text.parse().unwrap();
        assert_eq!(h1.to_string(), text);
        assert_eq!(h1.hex(), Digest::of(b"").hex());
        for wrong in [
            "",
            "h1:",
            "h2:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "h1:AAAA",
        ] {
            assert_eq!(wrong.parse::<H1>(), Err(InvalidH1), "{wrong}");
        }
    }
}
