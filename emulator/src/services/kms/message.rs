//! Requests and answers (google/cloud/kms/v1/service.proto, resources.proto), as far as they are emulated.

use std::collections::BTreeMap;

use google::Location;
use google::kms::{Key, KeyRing, KeyVersion};
use serde::{Deserialize, Serialize};
use signature::Hash;

use super::algorithm::SigningAlgorithm;
use crate::status::Status;

/// Bytes with an optional checksum.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Checked {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The CRC32C of the bytes by the sender; a signed 64-bit integer in the API.
    pub crc32c: Option<i64>,
}

impl Checked {
    /// The bytes, if their checksum matches. `field` is the name of the field in the message.
    ///
    /// # Errors
    /// The checksum does not match.
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

/// The request `KeyManagementService.CreateKeyRing`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CreateKeyRing {
    /// The location.
    pub parent: Location,
    /// The ID of the key ring.
    pub id: String,
}

/// The purpose of a key (`CryptoKey.CryptoKeyPurpose`), as far as it is emulated.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Purpose {
    /// `ENCRYPT_DECRYPT`, with AES-256-GCM.
    EncryptDecrypt,
    /// `ASYMMETRIC_SIGN`, with one of its algorithms.
    AsymmetricSign(SigningAlgorithm),
}

/// The request `KeyManagementService.CreateCryptoKey`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CreateCryptoKey {
    /// The key ring.
    pub parent: KeyRing,
    /// The ID of the key.
    pub id: String,
    /// The purpose of the key.
    pub purpose: Purpose,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// A key, or one of its versions.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyOrVersion {
    /// A key.
    Key(Key),
    /// A version of a key.
    Version(KeyVersion),
}

/// The request `KeyManagementService.Encrypt`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Encrypt {
    /// The key or its version.
    pub name: KeyOrVersion,
    /// The plaintext.
    pub plaintext: Checked,
    /// The associated data, which decryption requires again.
    pub aad: Checked,
}

/// The answer to [`Encrypt`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Encrypted {
    /// The key version.
    pub name: KeyVersion,
    /// The ciphertext.
    pub ciphertext: Vec<u8>,
    /// Whether the request had a checksum of the plaintext.
    pub verified_plaintext: bool,
    /// Whether the request had a checksum of the associated data.
    pub verified_aad: bool,
}

/// The request `KeyManagementService.Decrypt`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decrypt {
    /// The key.
    pub name: Key,
    /// The ciphertext.
    pub ciphertext: Checked,
    /// The associated data of the encryption.
    pub aad: Checked,
}

/// What is signed: the request has one of the two.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SignedBytes {
    /// A digest.
    Digest(Hash, Checked),
    /// The message itself.
    Data(Checked),
}

impl SignedBytes {
    /// Whether the request had a checksum of the digest, and of the data.
    pub(super) fn verified(&self) -> [bool; 2] {
        match self {
            Self::Digest(_, digest) => [digest.is_verified(), false],
            Self::Data(data) => [false, data.is_verified()],
        }
    }
}

/// The request `KeyManagementService.AsymmetricSign`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AsymmetricSign {
    /// The key version.
    pub name: KeyVersion,
    /// What is signed.
    pub signed: SignedBytes,
}

/// The answer to [`AsymmetricSign`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signed {
    /// The signature; in DER for ECDSA.
    pub signature: Vec<u8>,
    /// Whether the request had a checksum of the digest.
    pub verified_digest: bool,
    /// Whether the request had a checksum of the data.
    pub verified_data: bool,
}
