//! Requests and answers (google/cloud/kms/v1/service.proto, resources.proto), as far as they are emulated.

use serde::{Deserialize, Serialize};

use crate::status::Status;

/// Bytes that come with the sender's checksum of them, or without one.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Checked {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Their CRC32C by the sender, a signed 64-bit integer on the wire.
    pub crc32c: Option<i64>,
}

impl Checked {
    /// The bytes, if the checksum is theirs. `field` is their name in the message.
    ///
    /// # Errors
    /// Another checksum.
    pub(super) fn get(&self, field: &str) -> Result<&[u8], Status> {
        let actual = i64::from(crc32c::crc32c(&self.bytes));
        match self.crc32c.is_none_or(|expected| expected == actual) {
            true => Ok(&self.bytes),
            false => Err(Status::invalid(format!(
                "The checksum in field {field}_crc32c did not match the data in field {field}."
            ))),
        }
    }

    pub(super) fn is_verified(&self) -> bool {
        self.crc32c.is_some()
    }
}

/// `KeyManagementService.CreateKeyRing`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CreateKeyRing {
    /// `projects/P/locations/L`.
    pub parent: String,
    /// The ring's ID.
    pub id: String,
}

/// What a key is for (`CryptoKey.CryptoKeyPurpose`), as far as it is emulated.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Purpose {
    /// `ENCRYPT_DECRYPT`, by AES-256-GCM.
    EncryptDecrypt,
    /// `ASYMMETRIC_SIGN`, by `EC_SIGN_P256_SHA256`.
    AsymmetricSign,
}

/// `KeyManagementService.CreateCryptoKey`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CreateCryptoKey {
    /// The key ring.
    pub parent: String,
    /// The key's ID.
    pub id: String,
    /// What it is for.
    pub purpose: Purpose,
}

/// `KeyManagementService.Encrypt`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Encrypt {
    /// The key or a version of it.
    pub name: String,
    /// What is encrypted.
    pub plaintext: Checked,
    /// What must be given again to decrypt it.
    pub aad: Checked,
}

/// The answer to [`Encrypt`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Encrypted {
    /// The key version.
    pub name: String,
    /// The ciphertext.
    pub ciphertext: Vec<u8>,
    /// Whether the plaintext came with a checksum.
    pub verified_plaintext: bool,
    /// Whether the associated data came with a checksum.
    pub verified_aad: bool,
}

/// `KeyManagementService.Decrypt`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Decrypt {
    /// The key.
    pub name: String,
    /// What is decrypted.
    pub ciphertext: Checked,
    /// What was given when it was encrypted.
    pub aad: Checked,
}

/// `KeyManagementService.AsymmetricSign`, of a SHA-256 digest.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AsymmetricSign {
    /// The key version.
    pub name: String,
    /// The digest.
    pub sha256: Checked,
}

/// The answer to [`AsymmetricSign`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signed {
    /// The signature, an ECDSA signature in DER.
    pub signature: Vec<u8>,
    /// Whether the digest came with a checksum.
    pub verified_digest: bool,
}
