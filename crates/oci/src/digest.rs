//! Digests by any algorithm.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use content::{Digest, Hasher};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha512};

/// A digest by any algorithm (OCI image specification, descriptor.md: digests).
///
/// Images of this project and their evidence have SHA-256 only, as [`Digest`]. This type reads what others write.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum AnyDigest {
    /// By SHA-256.
    Sha256(Digest),
    /// By SHA-512.
    Sha512([u8; 64]),
    /// By another algorithm, which cannot be verified here: `algorithm:encoded`.
    Other(String),
}

impl AnyDigest {
    /// The name of the algorithm, and the digest as that algorithm encodes it.
    pub fn parts(&self) -> (String, String) {
        let text = self.to_string();
        let (algorithm, encoded) = text.split_once(':').unwrap_or((&text, ""));
        (algorithm.to_owned(), encoded.to_owned())
    }

    /// Computes a digest by the same algorithm; `None` if it cannot be verified here.
    pub fn hasher(&self) -> Option<AnyHasher> {
        match self {
            Self::Sha256(_) => Some(AnyHasher::Sha256(Hasher::new())),
            Self::Sha512(_) => Some(AnyHasher::Sha512(Sha512::new())),
            Self::Other(_) => None,
        }
    }
}

/// Text that is not a digest.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("parsing digest: expected ALGORITHM:ENCODED, found {0:?}")]
pub struct InvalidDigest(String);

impl FromStr for AnyDigest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let invalid = || InvalidDigest(text.chars().take(160).collect());
        let (algorithm, encoded) = text.split_once(':').ok_or_else(invalid)?;
        match algorithm {
            "sha256" => Digest::from_hex(encoded).ok().map(Self::Sha256),
            "sha512" => lower_hex(encoded).map(Self::Sha512),
            "blake3" => lower_hex::<32>(encoded).map(|_| Self::Other(text.to_owned())),
            _ => is_grammatical(algorithm, encoded).then(|| Self::Other(text.to_owned())),
        }
        .ok_or_else(invalid)
    }
}

/// Parses `SIZE` bytes in lower-case hex digits.
fn lower_hex<const SIZE: usize>(text: &str) -> Option<[u8; SIZE]> {
    let mut bytes = [0; SIZE];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    let is_upper = |byte: u8| byte.is_ascii_uppercase();
    (!text.bytes().any(is_upper)).then_some(bytes)
}

/// The grammar of all digests (descriptor.md: digests): components of letters and digits, separated by one of `+._-`;
/// after the colon, letters, digits and `=_-`.
fn is_grammatical(algorithm: &str, encoded: &str) -> bool {
    let is_separator = |c: char| matches!(c, '+' | '.' | '_' | '-');
    let is_component = |part: &str| {
        let mut bytes = part.bytes();
        !part.is_empty() && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let is_encoded = |b: u8| b.is_ascii_alphanumeric() || b"=_-".contains(&b);
    algorithm.split(is_separator).all(is_component)
        && !encoded.is_empty()
        && encoded.bytes().all(is_encoded)
}

impl fmt::Display for AnyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256(digest) => digest.fmt(f),
            Self::Sha512(bytes) => write!(f, "sha512:{}", hex::encode(bytes)),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl Serialize for AnyDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AnyDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Computes an [`AnyDigest`] piece by piece. Implements [`Write`], which never fails.
#[derive(Clone)]
pub enum AnyHasher {
    /// By SHA-256.
    Sha256(Hasher),
    /// By SHA-512.
    Sha512(Sha512),
}

impl AnyHasher {
    /// The digest of the input.
    pub fn finish(self) -> AnyDigest {
        match self {
            Self::Sha256(hasher) => AnyDigest::Sha256(hasher.finish()),
            Self::Sha512(hasher) => AnyDigest::Sha512(hasher.finalize().into()),
        }
    }
}

impl Write for AnyHasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The digests in a document: [`Digest`], or [`AnyDigest`].
pub trait Verify: DeserializeOwned {
    /// Whether this is the digest of `bytes`; `None` if the algorithm cannot be verified here.
    fn is_of(&self, bytes: &[u8]) -> Option<bool>;
}

impl Verify for Digest {
    fn is_of(&self, bytes: &[u8]) -> Option<bool> {
        Some(Self::of(bytes) == *self)
    }
}

impl Verify for AnyDigest {
    fn is_of(&self, bytes: &[u8]) -> Option<bool> {
        let mut hasher = self.hasher()?;
        // Writing to a hasher does not fail.
        let _ = hasher.write_all(bytes);
        Some(hasher.finish() == *self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
                         47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";

    fn parse(text: &str) -> Option<AnyDigest> {
        text.parse().ok()
    }

    #[test]
    fn digests_of_two_algorithms_are_verified() {
        let digest = parse(EMPTY).unwrap();
        assert_eq!(digest.to_string(), EMPTY);
        assert_eq!(digest.is_of(b""), Some(true));
        assert_eq!(digest.is_of(b"a"), Some(false));
        let digest = AnyDigest::Sha256(Digest::of(b"a"));
        assert_eq!(digest.is_of(b"a"), Some(true));
        assert_eq!(parse(&digest.to_string()), Some(digest));
    }

    #[test]
    fn other_algorithms_follow_the_grammar() {
        for text in [
            "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8",
            "sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564=",
            "sha384:00",
            "a.b_c-d:0",
        ] {
            let digest = parse(text).unwrap();
            assert_eq!(digest.to_string(), text);
            assert_eq!(digest.is_of(b""), None);
        }
        for text in [
            "",
            "sha256",
            "sha256:",
            ":00",
            "sha384:",
            "SHA384:00",
            "sha384+:00",
            "sha384++b:00",
            "+sha384:00",
            "sha384:0.0",
            "sha384:0:0",
            "sha256:00",
            "sha512:00",
            "blake3:00",
            &EMPTY.to_uppercase().replace("SHA", "sha"),
            &EMPTY[..EMPTY.len() - 1],
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
