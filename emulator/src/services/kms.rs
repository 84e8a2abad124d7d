//! Cloud KMS v1: keys, encryption, decryption and signing. Each call is authorised by the current policy
//! of the key.

mod message;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::Generate as _;
use p256::pkcs8::{EncodePublicKey as _, LineEnding};
use serde::{Deserialize, Serialize};

pub use self::message::{
    AsymmetricSign, Checked, CreateCryptoKey, CreateKeyRing, Decrypt, Encrypt, Encrypted, Purpose,
    Signed,
};
use super::Context;
use super::iam::{Change, Iam, Policy};
use crate::location;
use crate::random;
use crate::state::Stored;
use crate::status::Status;

/// The largest size of plaintext and of associated data, in bytes (Cloud KMS, `encrypt`).
const LIMIT: usize = 64 << 10;
/// The allowed length of the ID of a key ring or key, in characters (Cloud KMS, `keyRings.create`).
const ID: std::ops::RangeInclusive<usize> = 1..=63;
/// The suffix of the only version of a key.
const VERSION: &str = "/cryptoKeyVersions/1";
/// The length of an AES-GCM nonce, in bytes.
const NONCE: usize = 12;

/// Cloud KMS.
pub struct Kms {
    keys: Stored<Keys>,
    iam: Arc<Iam>,
}

/// Key rings and keys by name.
#[derive(Clone, Default, Deserialize, Serialize)]
pub struct Keys {
    rings: BTreeSet<String>,
    keys: BTreeMap<String, Key>,
}

#[derive(Clone, Deserialize, Serialize)]
struct Key {
    purpose: Purpose,
    secret: Secret,
}

/// The 32 secret bytes of a key, which are never shown.
#[derive(Clone, Deserialize, Serialize)]
struct Secret(#[serde(with = "crate::state::base64")] [u8; 32]);

impl Kms {
    /// A service with these keys.
    pub fn new(keys: Stored<Keys>, iam: Arc<Iam>) -> Self {
        Self { keys, iam }
    }

    /// `CreateKeyRing`; returns the name of the ring.
    ///
    /// # Errors
    /// The caller lacks the permission, the location does not exist, the ID is invalid, or the ring exists
    /// already.
    pub fn create_key_ring(
        &self,
        context: &Context,
        request: &CreateKeyRing,
    ) -> Result<String, Status> {
        let CreateKeyRing { parent, id } = request;
        self.iam
            .demand(context, "cloudkms.keyRings.create", &[parent])?;
        location::check_kms(parent.rsplit('/').next().unwrap_or_default())?;
        check_id("keyRingId", id)?;
        let name = format!("{parent}/keyRings/{id}");
        self.keys
            .change(|keys| match keys.rings.insert(name.clone()) {
                true => Ok(name),
                false => Err(Status::exists(format!("KeyRing {name} already exists."))),
            })
    }

    /// `CreateCryptoKey`, with one version; returns the name of the key.
    ///
    /// # Errors
    /// The caller lacks the permission, the ring does not exist, the ID is invalid, or the key exists
    /// already.
    pub fn create_crypto_key(
        &self,
        context: &Context,
        request: &CreateCryptoKey,
    ) -> Result<String, Status> {
        let CreateCryptoKey {
            parent,
            id,
            purpose,
        } = request;
        self.iam
            .demand(context, "cloudkms.cryptoKeys.create", &[parent])?;
        check_id("cryptoKeyId", id)?;
        let name = format!("{parent}/cryptoKeys/{id}");
        self.keys.change(|keys| {
            if !keys.rings.contains(parent) {
                return Err(Status::not_found(format!("KeyRing {parent} not found.")));
            }
            if keys.keys.contains_key(&name) {
                return Err(Status::exists(format!("CryptoKey {name} already exists.")));
            }
            keys.keys.insert(name.clone(), Key::new(*purpose)?);
            Ok(name)
        })
    }

    /// `Encrypt`, with a key or a key version.
    ///
    /// # Errors
    /// The caller lacks the permission, the key does not exist, the data is too large, or a checksum does
    /// not match.
    pub fn encrypt(&self, context: &Context, request: &Encrypt) -> Result<Encrypted, Status> {
        self.demand(context, "useToEncrypt", &request.name)?;
        let plaintext = request.plaintext.get("plaintext")?;
        let aad = request.aad.get("additional_authenticated_data")?;
        if plaintext.len() > LIMIT || aad.len() > LIMIT {
            return Err(Status::invalid(
                "The plaintext or the associated data is too large.",
            ));
        }
        let name = request.name.strip_suffix(VERSION).unwrap_or(&request.name);
        let mut sealed = plaintext.to_vec();
        let key = self.keys.look(|keys| keys.symmetric(name))?;
        let nonce = key.seal_in_place_append_tag(Aad::from(aad), &mut sealed);
        let nonce = nonce.map_err(|_| Status::internal())?;
        Ok(Encrypted {
            name: format!("{name}{VERSION}"),
            ciphertext: [nonce.as_ref().as_slice(), &sealed].concat(),
            verified_plaintext: request.plaintext.is_verified(),
            verified_aad: request.aad.is_verified(),
        })
    }

    /// `Decrypt`; returns the plaintext.
    ///
    /// # Errors
    /// The caller lacks the permission, the key does not exist, a checksum does not match, or the
    /// ciphertext was made with another key or other associated data.
    pub fn decrypt(&self, context: &Context, request: &Decrypt) -> Result<Vec<u8>, Status> {
        self.demand(context, "useToDecrypt", &request.name)?;
        let wrong = || {
            Status::invalid(
                "Decryption failed: verify that 'name' refers to the correct CryptoKey.",
            )
        };
        let ciphertext = request.ciphertext.get("ciphertext")?;
        let aad = request.aad.get("additional_authenticated_data")?;
        let key = self.keys.look(|keys| keys.symmetric(&request.name))?;
        let (nonce, sealed) = ciphertext.split_at_checked(NONCE).ok_or_else(wrong)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| wrong())?;
        let mut sealed = sealed.to_vec();
        let plaintext = key.open_in_place(nonce, Aad::from(aad), &mut sealed);
        Ok(plaintext.map_err(|_| wrong())?.to_vec())
    }

    /// `AsymmetricSign`.
    ///
    /// # Errors
    /// The caller lacks the permission, the key version does not exist, the digest does not have 32 bytes,
    /// or a checksum does not match.
    pub fn sign(&self, context: &Context, request: &AsymmetricSign) -> Result<Signed, Status> {
        self.demand(context, "useToSign", &request.name)?;
        let digest = request.sha256.get("digest")?;
        if digest.len() != 32 {
            return Err(Status::invalid("The digest must be a SHA-256 of 32 bytes."));
        }
        let key = self.keys.look(|keys| keys.signing(&request.name))?;
        let signature: Signature = key.sign_prehash(digest).map_err(|_| Status::internal())?;
        Ok(Signed {
            signature: signature.to_der().as_bytes().to_vec(),
            verified_digest: request.sha256.is_verified(),
        })
    }

    /// `GetPublicKey`; returns the public key in PEM (SubjectPublicKeyInfo).
    ///
    /// # Errors
    /// The caller lacks the permission, or the key version does not exist.
    pub fn public_key(&self, context: &Context, version: &str) -> Result<String, Status> {
        self.demand(context, "viewPublicKey", version)?;
        let key = self.keys.look(|keys| keys.signing(version))?;
        let pem = key.verifying_key().to_public_key_pem(LineEnding::LF);
        pem.map_err(|_| Status::internal())
    }

    /// `GetIamPolicy` of a key or key ring.
    ///
    /// # Errors
    /// The caller lacks the permission, or the resource or the policy version does not exist.
    pub fn policy(&self, context: &Context, name: &str, version: u32) -> Result<Policy, Status> {
        self.demand_policy(context, name, "getIamPolicy")?;
        self.iam.policy(name, version)
    }

    /// `SetIamPolicy` of a key or key ring.
    ///
    /// # Errors
    /// The caller lacks the permission, the resource does not exist, or the policy is invalid.
    pub fn set_policy(
        &self,
        context: &Context,
        name: &str,
        change: Change,
    ) -> Result<Policy, Status> {
        self.demand_policy(context, name, "setIamPolicy")?;
        self.iam.set_policy(name, change)
    }

    fn demand(&self, context: &Context, what: &str, name: &str) -> Result<(), Status> {
        let permission = format!("cloudkms.cryptoKeyVersions.{what}");
        self.iam.demand(context, &permission, &holders(name))
    }

    fn demand_policy(&self, context: &Context, name: &str, what: &str) -> Result<(), Status> {
        let kind = match name.contains("/cryptoKeys/") {
            true => "cryptoKeys",
            false => "keyRings",
        };
        let permission = format!("cloudkms.{kind}.{what}");
        self.iam.demand(context, &permission, &holders(name))?;
        match self.keys.look(|keys| keys.has(name)) {
            true => Ok(()),
            false => Err(Status::not_found(format!("{name} not found."))),
        }
    }
}

impl Keys {
    fn has(&self, name: &str) -> bool {
        self.keys.contains_key(name) || self.rings.contains(name)
    }

    fn symmetric(&self, name: &str) -> Result<RandomizedNonceKey, Status> {
        match self.keys.get(name) {
            Some(Key {
                purpose: Purpose::EncryptDecrypt,
                secret,
            }) => RandomizedNonceKey::new(&AES_256_GCM, &secret.0).map_err(|_| Status::internal()),
            Some(_) => Err(Status::precondition(format!(
                "{name} is not for encryption."
            ))),
            None => Err(Status::not_found(format!("CryptoKey {name} not found."))),
        }
    }

    fn signing(&self, version: &str) -> Result<SigningKey, Status> {
        let name = version.strip_suffix(VERSION);
        match name.and_then(|name| self.keys.get(name)) {
            Some(Key {
                purpose: Purpose::AsymmetricSign,
                secret,
            }) => SigningKey::from_slice(&secret.0).map_err(|_| Status::internal()),
            Some(_) => Err(Status::precondition(format!(
                "{version} is not for signatures."
            ))),
            None => Err(Status::not_found(format!(
                "CryptoKeyVersion {version} not found."
            ))),
        }
    }
}

impl Key {
    fn new(purpose: Purpose) -> Result<Self, Status> {
        let secret = match purpose {
            Purpose::EncryptDecrypt => random::bytes().map_err(|_| Status::internal())?,
            Purpose::AsymmetricSign => {
                let key = SigningKey::try_generate().map_err(|_| Status::internal())?;
                key.to_bytes().into()
            }
        };
        let secret = Secret(secret);
        Ok(Self { purpose, secret })
    }
}

fn check_id(field: &str, id: &str) -> Result<(), Status> {
    let is_known = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    match ID.contains(&id.len()) && id.bytes().all(is_known) {
        true => Ok(()),
        false => Err(Status::invalid(format!("Invalid value for {field}."))),
    }
}

/// The key of a key version, or a key, and its ring: a policy on any of them applies.
fn holders(resource: &str) -> Vec<&str> {
    let key = resource
        .split("/cryptoKeyVersions/")
        .next()
        .unwrap_or(resource);
    let ring = key.split("/cryptoKeys/").next().unwrap_or(key);
    if ring == key {
        vec![key]
    } else {
        vec![key, ring]
    }
}

#[cfg(test)]
mod tests;
