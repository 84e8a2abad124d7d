//! A signature on a package index, as a lock names it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::time::Time;

/// Which key signed, and when.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The fingerprint of the key or subkey that signed.
    pub key: Fingerprint,
    /// When it signed, as the signature says.
    pub time: Time,
}

/// The fingerprint of an OpenPGP key or subkey that signs: 40 hexadecimal digits (RFC 4880, section 12.2) or 64
/// (RFC 9580, section 5.5.4). It is a digest of the key, so a keyring cannot give it to another key. The fingerprint of
/// a primary key would not do: a keyring may claim any key as its subkey.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(String);

/// Text that is not a fingerprint.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected the 40 or 64 hexadecimal digits of an OpenPGP fingerprint")]
pub struct InvalidFingerprint;

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    /// Reads upper and lower case, with and without the spaces that gpg prints.
    fn from_str(text: &str) -> Result<Self, InvalidFingerprint> {
        let digits = text.replace(' ', "").to_ascii_uppercase();
        let is_hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        match is_hexadecimal && matches!(digits.len(), 40 | 64) {
            true => Ok(Self(digits)),
            false => Err(InvalidFingerprint),
        }
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = InvalidFingerprint;

    fn try_from(text: String) -> Result<Self, InvalidFingerprint> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
