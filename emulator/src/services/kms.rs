//! Cloud KMS v1: keys, encryption, decryption and signing. Each call is authorised by the current policy
//! of the key.

mod algorithm;
mod keys;
mod lifecycle;
mod message;
mod signing;

use std::sync::Arc;

use aws_lc_rs::aead::{Aad, Nonce};
use google::kms::{Key, KeyRing, KeyVersion};

pub use self::algorithm::SigningAlgorithm;
use self::keys::KeyMaterial;
pub use self::keys::{Keys, VersionState};
use self::lifecycle::version_of;
pub use self::lifecycle::{KeyDescription, VersionChange, VersionDescription};
pub use self::message::{
    AsymmetricSign, Checked, CreateCryptoKey, CreateKeyRing, Decrypt, Encrypt, Encrypted,
    KeyOrVersion, Purpose, Signed, SignedBytes,
};
use super::Context;
use super::iam::{Change, Iam, Policy};
use crate::location;
use crate::state::Stored;
use crate::status::Status;

/// The largest size of plaintext and of associated data, in bytes (Cloud KMS, `encrypt`).
const LIMIT: usize = 64 << 10;
/// The length of an AES-GCM nonce, in bytes.
const NONCE: usize = 12;

/// Cloud KMS.
pub struct Kms {
    keys: Stored<Keys>,
    iam: Arc<Iam>,
}

/// A key ring or key, which have policies.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Holder {
    /// A key ring.
    Ring(KeyRing),
    /// A key.
    Key(Key),
}

impl Kms {
    /// A service with these keys.
    pub fn new(keys: Stored<Keys>, iam: Arc<Iam>) -> Self {
        Self { keys, iam }
    }

    /// `CreateKeyRing`; returns the ring.
    ///
    /// # Errors
    /// The caller lacks the permission, the location does not exist, the ID is invalid, or the ring exists
    /// already.
    pub fn create_key_ring(
        &self,
        context: &Context,
        request: &CreateKeyRing,
    ) -> Result<KeyRing, Status> {
        let CreateKeyRing { parent, id } = request;
        self.iam
            .demand(context, "cloudkms.keyRings.create", &[&parent.to_string()])?;
        location::check_kms(parent.id())?;
        let ring = KeyRing::new(parent.clone(), id).ok_or_else(|| invalid_id("keyRingId"))?;
        self.keys
            .change(|keys| match keys.rings.contains_key(&ring) {
                true => Err(Status::exists(format!("KeyRing {ring} already exists."))),
                false => {
                    keys.rings.insert(ring.clone(), context.now);
                    Ok(ring)
                }
            })
    }

    /// `CreateCryptoKey`, with one version.
    ///
    /// # Errors
    /// The caller lacks the permission, the ring does not exist, the ID is invalid, or the key exists
    /// already.
    pub fn create_crypto_key(
        &self,
        context: &Context,
        request: &CreateCryptoKey,
    ) -> Result<KeyDescription, Status> {
        let CreateCryptoKey {
            parent,
            id,
            purpose,
            labels,
        } = request;
        self.iam.demand(
            context,
            "cloudkms.cryptoKeys.create",
            &[&parent.to_string()],
        )?;
        let name = Key::new(parent.clone(), id).ok_or_else(|| invalid_id("cryptoKeyId"))?;
        self.keys.change(|keys| {
            if !keys.rings.contains_key(parent) {
                return Err(Status::not_found(format!("KeyRing {parent} not found.")));
            }
            if keys.keys.contains_key(&name) {
                return Err(Status::exists(format!("CryptoKey {name} already exists.")));
            }
            let key = KeyMaterial::new(*purpose, labels.clone(), context.now)?;
            keys.keys.insert(name.clone(), key);
            keys.describe(&name)
        })
    }

    /// `Encrypt`, with a key or a key version.
    ///
    /// # Errors
    /// The caller lacks the permission, the key does not exist, the data is too large, or a checksum does
    /// not match.
    pub fn encrypt(&self, context: &Context, request: &Encrypt) -> Result<Encrypted, Status> {
        let key = match &request.name {
            KeyOrVersion::Key(key) => key,
            KeyOrVersion::Version(version) => version.key(),
        };
        self.demand(context, "cloudkms.cryptoKeyVersions.useToEncrypt", key)?;
        let plaintext = request.plaintext.get("plaintext")?;
        let aad = request.aad.get("additional_authenticated_data")?;
        if plaintext.len() > LIMIT || aad.len() > LIMIT {
            return Err(Status::invalid(
                "The plaintext or the associated data is too large.",
            ));
        }
        let name = match &request.name {
            KeyOrVersion::Version(version) => version.clone(),
            KeyOrVersion::Key(key) => {
                let number = self.keys.look(|keys| keys.primary(key))?;
                version_of(key, number)?
            }
        };
        let mut sealed = plaintext.to_vec();
        let key = self.keys.look(|keys| keys.symmetric(&name, context.now))?;
        let nonce = key.seal_in_place_append_tag(Aad::from(aad), &mut sealed);
        let nonce = nonce.map_err(|_| Status::internal())?;
        let version = name.number().to_be_bytes();
        Ok(Encrypted {
            name,
            ciphertext: [&version, nonce.as_ref().as_slice(), &sealed].concat(),
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
        self.demand(
            context,
            "cloudkms.cryptoKeyVersions.useToDecrypt",
            &request.name,
        )?;
        let wrong = || {
            Status::invalid(
                "Decryption failed: verify that 'name' refers to the correct CryptoKey.",
            )
        };
        let ciphertext = request.ciphertext.get("ciphertext")?;
        let aad = request.aad.get("additional_authenticated_data")?;
        self.keys.look(|keys| keys.key(&request.name).map(drop))?;
        let (version, rest) = ciphertext.split_first_chunk().ok_or_else(wrong)?;
        let version =
            version_of(&request.name, u64::from_be_bytes(*version)).map_err(|_| wrong())?;
        let key = self.keys.look(|keys| keys.symmetric(&version, context.now));
        let key = key.map_err(|status| match status.code {
            // It is a ciphertext of another key.
            404 => wrong(),
            _ => status,
        })?;
        let (nonce, sealed) = rest.split_at_checked(NONCE).ok_or_else(wrong)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| wrong())?;
        let mut sealed = sealed.to_vec();
        let plaintext = key.open_in_place(nonce, Aad::from(aad), &mut sealed);
        Ok(plaintext.map_err(|_| wrong())?.to_vec())
    }

    /// `AsymmetricSign`.
    ///
    /// # Errors
    /// The caller lacks the permission, the key version does not exist, the algorithm requires another digest or
    /// data, the data is too large, or a checksum does not match.
    pub fn sign(&self, context: &Context, request: &AsymmetricSign) -> Result<Signed, Status> {
        self.demand(
            context,
            "cloudkms.cryptoKeyVersions.useToSign",
            request.name.key(),
        )?;
        if let SignedBytes::Data(data) = &request.signed
            && data.bytes.len() > LIMIT
        {
            return Err(Status::invalid("The data is too large."));
        }
        let name = &request.name;
        let (algorithm, secret) = self.keys.look(|keys| keys.signing(name, context.now))?;
        let signature = algorithm.sign(&secret.0, &request.signed)?;
        let [verified_digest, verified_data] = request.signed.verified();
        Ok(Signed {
            signature,
            verified_digest,
            verified_data,
        })
    }

    /// `GetPublicKey`; returns the algorithm, and the public key in PEM (SubjectPublicKeyInfo).
    ///
    /// # Errors
    /// The caller lacks the permission, or the key version does not exist.
    pub fn public_key(
        &self,
        context: &Context,
        version: &KeyVersion,
    ) -> Result<(SigningAlgorithm, String), Status> {
        self.demand(
            context,
            "cloudkms.cryptoKeyVersions.viewPublicKey",
            version.key(),
        )?;
        let (algorithm, secret) = self.keys.look(|keys| keys.signing(version, context.now))?;
        Ok((algorithm, algorithm.public_key(&secret.0)?))
    }

    /// `TestIamPermissions`: those of the permissions that the caller has on a key or key ring. There are none on one that does
    /// not exist.
    pub fn permitted(&self, context: &Context, holder: &Holder, asked: &[String]) -> Vec<String> {
        if !self.keys.look(|keys| keys.has(holder)) {
            return Vec::new();
        }
        let names = holder.names();
        let resources: Vec<_> = names.iter().map(String::as_str).collect();
        self.iam.permitted(context, asked, &resources)
    }

    /// `GetIamPolicy` of a key or key ring.
    ///
    /// # Errors
    /// The caller lacks the permission, or the resource or the policy version does not exist.
    pub fn policy(
        &self,
        context: &Context,
        holder: &Holder,
        version: u32,
    ) -> Result<Policy, Status> {
        let name = self.demand_policy(context, holder, "getIamPolicy")?;
        self.iam.policy(&name, version)
    }

    /// `SetIamPolicy` of a key or key ring.
    ///
    /// # Errors
    /// The caller lacks the permission, the resource does not exist, or the policy is invalid.
    pub fn set_policy(
        &self,
        context: &Context,
        holder: &Holder,
        change: Change,
    ) -> Result<Policy, Status> {
        let name = self.demand_policy(context, holder, "setIamPolicy")?;
        self.iam.set_policy(&name, change)
    }

    /// Checks that a policy on the key or its ring grants the permission.
    fn demand(&self, context: &Context, permission: &str, key: &Key) -> Result<(), Status> {
        let names = [key.to_string(), key.ring().to_string()];
        let names = names.each_ref().map(String::as_str);
        self.iam.demand(context, permission, &names)?;
        self.destroy_due(context.now)
    }

    /// Removes the secrets of the versions whose time to be destroyed has come, in Unix seconds, also from the state on disk. Each use
    /// of a key does so, and each start of the emulator.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn destroy_due(&self, now: u64) -> Result<(), Status> {
        match self.keys.look(|keys| keys.is_any_due(now)) {
            true => self.keys.change(|keys| {
                keys.destroy_due(now);
                Ok(())
            }),
            false => Ok(()),
        }
    }

    /// Checks the permission on a policy, and returns the name of its holder.
    fn demand_policy(
        &self,
        context: &Context,
        holder: &Holder,
        what: &str,
    ) -> Result<String, Status> {
        let kind = match holder {
            Holder::Ring(_) => "keyRings",
            Holder::Key(_) => "cryptoKeys",
        };
        let names = holder.names();
        let permission = format!("cloudkms.{kind}.{what}");
        let resources: Vec<_> = names.iter().map(String::as_str).collect();
        self.iam.demand(context, &permission, &resources)?;
        let name = resources[0].to_owned();
        match self.keys.look(|keys| keys.has(holder)) {
            true => Ok(name),
            false => Err(Status::not_found(format!("{name} not found."))),
        }
    }
}

impl Holder {
    /// The name of the resource, and those of its parents.
    fn names(&self) -> Vec<String> {
        match self {
            Self::Ring(ring) => vec![ring.to_string()],
            Self::Key(key) => vec![key.to_string(), key.ring().to_string()],
        }
    }
}

fn invalid_id(field: &str) -> Status {
    Status::invalid(format!("Invalid value for {field}."))
}

fn no_version(version: &KeyVersion) -> Status {
    Status::not_found(format!("CryptoKeyVersion {version} not found."))
}

#[cfg(test)]
mod tests;
