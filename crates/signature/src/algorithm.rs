//! How keys sign: the type of a key, and the algorithms of each type.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;

use crate::Error;

/// The type of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyType {
    /// An elliptic curve key on P-256 (FIPS 186-5).
    P256,
    /// An elliptic curve key on P-384.
    P384,
    /// An elliptic curve key on P-521.
    P521,
    /// An RSA key (RFC 8017).
    Rsa {
        /// The length of the modulus.
        bits: u16,
    },
    /// An RSA key that signs with RSASSA-PSS only: its algorithm is `id-RSASSA-PSS` (RFC 4055, section 1.2).
    RsaPss {
        /// The length of the modulus.
        bits: u16,
        /// What the key fixes besides; `None` if it has no parameters.
        parameters: Option<PssParameters>,
    },
    /// An Ed25519 key (RFC 8032).
    Ed25519,
}

/// The parameters of a key that signs with RSASSA-PSS only (RFC 4055, section 3.1). MGF1 has the same digest algorithm.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PssParameters {
    /// The digest algorithm.
    pub hash: Hash,
    /// The smallest length of the salt in bytes. Without an entry for the key it is the only one.
    pub salt: u16,
}

/// A digest algorithm (FIPS 180-4), in the order of length.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// The encoding of an ECDSA signature.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encoding {
    /// `Ecdsa-Sig-Value` in DER (RFC 3279, section 2.2.3).
    Der,
    /// `r` and `s`, each as long as the curve's order (IEEE P1363).
    P1363,
}

/// A signature algorithm. The record of a key fixes it: nothing in a document or in a signature chooses one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Algorithm {
    /// ECDSA on the key's curve (FIPS 186-5).
    Ecdsa {
        /// The digest algorithm.
        hash: Hash,
        /// The encoding of the signature.
        encoding: Encoding,
    },
    /// RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2).
    RsaPkcs1 {
        /// The digest algorithm.
        hash: Hash,
    },
    /// RSASSA-PSS (RFC 8017, section 8.1), with MGF1 and the same digest algorithm.
    RsaPss {
        /// The digest algorithm.
        hash: Hash,
        /// The length of the salt in bytes. `None` is the length of the digest, or the largest that fits the
        /// key: signers write one or the other.
        salt: Option<u16>,
    },
    /// Ed25519 over the message itself (RFC 8032, section 5.1).
    Ed25519,
    /// Ed25519ph, over the SHA-512 of the message, without a context (RFC 8032, section 5.1).
    Ed25519ph,
}

const SHA256_DER: Algorithm = Algorithm::Ecdsa {
    hash: Hash::Sha256,
    encoding: Encoding::Der,
};

impl KeyType {
    /// The types of keys that can be generated.
    pub const ALL: [Self; 7] = [
        Self::P256,
        Self::P384,
        Self::P521,
        Self::Rsa { bits: 2048 },
        Self::Rsa { bits: 3072 },
        Self::Rsa { bits: 4096 },
        Self::Ed25519,
    ];

    /// The algorithms of a key whose record names none. The first signs; sigstore-go accepts the same.
    pub fn default_algorithms(self) -> Vec<Algorithm> {
        let der = |hash| Algorithm::Ecdsa {
            hash,
            encoding: Encoding::Der,
        };
        match self {
            Self::P256 => vec![SHA256_DER],
            Self::P384 => vec![der(Hash::Sha384), SHA256_DER],
            Self::P521 => vec![der(Hash::Sha512), SHA256_DER],
            Self::Rsa { .. } => vec![Algorithm::RsaPkcs1 { hash: Hash::Sha256 }],
            Self::RsaPss {
                parameters: None, ..
            } => Hash::ALL
                .map(|hash| Algorithm::RsaPss { hash, salt: None })
                .into(),
            Self::RsaPss {
                parameters: Some(PssParameters { hash, salt }),
                ..
            } => vec![Algorithm::RsaPss {
                hash,
                salt: Some(salt),
            }],
            Self::Ed25519 => vec![Algorithm::Ed25519, Algorithm::Ed25519ph],
        }
    }

    /// Whether a private key of this type signs with the algorithm, if the algorithm is for the type.
    pub(crate) fn signs_with(self, algorithm: Algorithm) -> bool {
        match (algorithm, self.default_algorithms()[0]) {
            (algorithm, own) if algorithm == own => true,
            (Algorithm::Ecdsa { hash, .. }, Algorithm::Ecdsa { hash: own, .. }) => hash <= own,
            (Algorithm::RsaPss { salt, .. }, _) => salt.is_none(),
            _ => true,
        }
    }

    /// The length of the curve's order in bytes, if the type is an elliptic curve.
    pub(crate) fn scalar_size(self) -> Option<usize> {
        match self {
            Self::P256 => Some(32),
            Self::P384 => Some(48),
            Self::P521 => Some(66),
            Self::Rsa { .. } | Self::RsaPss { .. } | Self::Ed25519 => None,
        }
    }
}

impl Hash {
    pub(crate) const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The place in [`Hash::ALL`].
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Sha256 => 0,
            Self::Sha384 => 1,
            Self::Sha512 => 2,
        }
    }

    /// The length of a digest in bytes.
    pub(crate) fn size(self) -> u16 {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The digest of `message`.
    pub fn digest(self, message: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, message).as_ref().to_vec()
    }
}

impl Algorithm {
    /// The digest algorithm that is chosen; `None` for Ed25519 and Ed25519ph, which have no choice.
    pub fn hash(self) -> Option<Hash> {
        match self {
            Self::Ecdsa { hash, .. } | Self::RsaPkcs1 { hash } | Self::RsaPss { hash, .. } => {
                Some(hash)
            }
            Self::Ed25519 | Self::Ed25519ph => None,
        }
    }

    /// Whether a key of this type can sign with the algorithm.
    pub fn is_for(self, key: KeyType) -> bool {
        match self {
            Self::Ecdsa { .. } => key.scalar_size().is_some(),
            Self::RsaPkcs1 { .. } => matches!(key, KeyType::Rsa { .. }),
            Self::RsaPss { hash, salt } => match key {
                KeyType::Rsa { .. } => true,
                KeyType::RsaPss { parameters, .. } => {
                    let salt = salt.unwrap_or(hash.size());
                    parameters.is_none_or(|fixed| fixed.hash == hash && fixed.salt <= salt)
                }
                _ => false,
            },
            Self::Ed25519 | Self::Ed25519ph => key == KeyType::Ed25519,
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::P256 => f.write_str("ecdsa-p256"),
            Self::P384 => f.write_str("ecdsa-p384"),
            Self::P521 => f.write_str("ecdsa-p521"),
            Self::Rsa { bits } => write!(f, "rsa-{bits}"),
            Self::RsaPss { bits, parameters } => match parameters {
                None => write!(f, "rsa-pss-{bits}"),
                Some(PssParameters { hash, salt }) => {
                    write!(f, "rsa-pss-{bits}-{hash}-salt{salt}")
                }
            },
            Self::Ed25519 => f.write_str("ed25519"),
        }
    }
}

impl FromStr for KeyType {
    type Err = Error;

    /// Parses the name of a type in [`KeyType::ALL`].
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut all = Self::ALL.into_iter();
        let found = all.find(|key| key.to_string() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.map(|key| key.to_string()).join(", ");
            Error::Invalid(format!(
                "parsing type of key: expected one of {names}, found {text:?}"
            ))
        })
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        })
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ecdsa { hash, encoding } => match encoding {
                Encoding::Der => write!(f, "ecdsa-der-{hash}"),
                Encoding::P1363 => write!(f, "ecdsa-p1363-{hash}"),
            },
            Self::RsaPkcs1 { hash } => write!(f, "rsa-pkcs1-{hash}"),
            Self::RsaPss { hash, salt: None } => write!(f, "rsa-pss-{hash}"),
            Self::RsaPss {
                hash,
                salt: Some(salt),
            } => write!(f, "rsa-pss-{hash}-salt{salt}"),
            Self::Ed25519 => f.write_str("ed25519"),
            Self::Ed25519ph => f.write_str("ed25519ph"),
        }
    }
}

/// The names of the algorithms.
const ALGORITHMS: &str = "ecdsa-der-HASH, ecdsa-p1363-HASH, rsa-pkcs1-HASH, rsa-pss-HASH, rsa-pss-HASH-saltBYTES (HASH is sha256, sha384 or sha512), ed25519, ed25519ph";

impl FromStr for Algorithm {
    type Err = Error;

    /// Parses a name as [`Algorithm`] is displayed.
    fn from_str(text: &str) -> Result<Self, Error> {
        let canonical = parse(text).filter(|algorithm| algorithm.to_string() == text);
        canonical.ok_or_else(|| {
            Error::Invalid(format!(
                "parsing algorithm: expected one of {ALGORITHMS}, found {text:?}"
            ))
        })
    }
}

fn parse(text: &str) -> Option<Algorithm> {
    match text {
        "ed25519" => return Some(Algorithm::Ed25519),
        "ed25519ph" => return Some(Algorithm::Ed25519ph),
        _ => {}
    }
    let (text, salt) = match text.split_once("-salt") {
        Some((text, salt)) => (text, Some(salt.parse().ok()?)),
        None => (text, None),
    };
    let (scheme, hash) = text.rsplit_once('-')?;
    let hash = Hash::ALL
        .into_iter()
        .find(|known| known.to_string() == hash)?;
    let ecdsa = |encoding| Some(Algorithm::Ecdsa { hash, encoding });
    match (scheme, salt) {
        ("ecdsa-der", None) => ecdsa(Encoding::Der),
        ("ecdsa-p1363", None) => ecdsa(Encoding::P1363),
        ("rsa-pkcs1", None) => Some(Algorithm::RsaPkcs1 { hash }),
        ("rsa-pss", salt) => Some(Algorithm::RsaPss { hash, salt }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_as_they_were() {
        for name in [
            "ecdsa-der-sha256",
            "ecdsa-p1363-sha512",
            "rsa-pkcs1-sha384",
            "rsa-pss-sha256",
            "rsa-pss-sha512-salt0",
            "ed25519",
            "ed25519ph",
        ] {
            assert_eq!(name.parse::<Algorithm>().unwrap().to_string(), name);
        }
        for name in [
            "",
            "ecdsa",
            "ecdsa-sha256",
            "ecdsa-der-sha1",
            "ecdsa-der-sha256-salt1",
            "rsa-pss-sha256-salt",
            "rsa-pss-sha256-salt70000",
            "rsa-pss-sha256-salt+5",
            "rsa-pss-sha256-salt005",
            "ed25519-sha512",
            "RSA-PSS-SHA256",
        ] {
            let error = name.parse::<Algorithm>().unwrap_err().to_string();
            assert!(error.starts_with("parsing algorithm: expected"), "{error}");
        }
        for key in KeyType::ALL {
            assert_eq!(key.to_string().parse::<KeyType>().unwrap(), key);
        }
        assert!("rsa-1024".parse::<KeyType>().is_err());
    }
}
