//! Digests of any registered algorithm.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;

use aws_lc_rs::digest::{Context, SHA256, SHA512, digest};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::RegistryError;

/// The number of bytes that are read at a time to compute the digest of a blob.
const BUFFER: usize = 1 << 20;

/// The digest algorithms of the OCI image specification (descriptor.md, "Registered algorithms").
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Algorithm {
    /// SHA-256, always used for manifests that are pushed by tag.
    Sha256,
    /// SHA-512, used if the client chooses it.
    Sha512,
}

impl Algorithm {
    /// The algorithm's name in a digest, and the name of its folder on disk.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The digest of `bytes`.
    pub fn of(self, bytes: &[u8]) -> ContentDigest {
        self.digest(digest(self.implementation(), bytes).as_ref())
    }

    /// The digest of a file on disk.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of_file(self, path: &Path) -> io::Result<ContentDigest> {
        let mut file = File::open(path)?;
        let mut context = Context::new(self.implementation());
        let mut buffer = vec![0; BUFFER];
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                return Ok(self.digest(context.finish().as_ref()));
            }
            context.update(&buffer[..count]);
        }
    }

    fn implementation(self) -> &'static aws_lc_rs::digest::Algorithm {
        match self {
            Self::Sha256 => &SHA256,
            Self::Sha512 => &SHA512,
        }
    }

    fn digits(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }

    fn digest(self, bytes: &[u8]) -> ContentDigest {
        ContentDigest {
            algorithm: self,
            hex: bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

/// The digest of content in a registry. Unlike [`content::Digest`], which the other programs use, it may
/// be SHA-512, because a registry accepts both.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ContentDigest {
    algorithm: Algorithm,
    hex: String,
}

impl ContentDigest {
    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digest in lower-case hex.
    pub fn hex(&self) -> &str {
        &self.hex
    }
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.name(), self.hex)
    }
}

impl FromStr for ContentDigest {
    type Err = RegistryError;

    fn from_str(text: &str) -> Result<Self, RegistryError> {
        let refuse = || {
            let shown: String = text.chars().take(160).collect();
            RegistryError::digest(format!(
                "parsing digest: invalid sha256 or sha512 digest {shown:?}"
            ))
        };
        let (name, hex) = text.split_once(':').ok_or_else(refuse)?;
        let algorithm = match name {
            "sha256" => Algorithm::Sha256,
            "sha512" => Algorithm::Sha512,
            _ => return Err(refuse()),
        };
        let is_hex = hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !is_hex || hex.len() != algorithm.digits() {
            return Err(refuse());
        }
        Ok(Self {
            algorithm,
            hex: hex.to_owned(),
        })
    }
}

impl Serialize for ContentDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_known_digests() {
        let ours = Algorithm::Sha256.of(b"countersign").to_string();
        assert_eq!(ours, content::Digest::of(b"countersign").to_string());
        let empty = Algorithm::Sha512.of(b"").to_string();
        assert!(empty.starts_with("sha512:cf83e1357eefb8bdf1542850d66d8007"));
        assert_eq!(empty.parse::<ContentDigest>().unwrap().to_string(), empty);
    }

    #[test]
    fn refuses_invalid_digests() {
        let hex = "0".repeat(64);
        for text in [
            "sha256:baddigeststring".to_owned(),
            format!("md5:{hex}"),
            format!("sha512:{hex}"),
            format!("sha256:{}", "A".repeat(64)),
            format!("sha256:{}/", "0".repeat(63)),
            hex,
        ] {
            let error = text.parse::<ContentDigest>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("parsing digest: invalid sha256 or sha512 digest {text:?}")
            );
        }
    }
}
