//! Cloud KMS v1: keys, encrypt, decrypt, sign. Each call is authorised by the live policy of the key.

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
use crate::state::Kept;
use crate::status::Status;

/// Bytes of plaintext and associated data at the most (Cloud KMS, `encrypt`).
const LIMIT: usize = 64 << 10;
/// Characters of the ID of a key ring or key (Cloud KMS, `keyRings.create`).
const ID: std::ops::RangeInclusive<usize> = 1..=63;
/// The one version that a key has.
const VERSION: &str = "/cryptoKeyVersions/1";
/// Bytes of an AES-GCM nonce.
const NONCE: usize = 12;

/// The service.
pub struct Kms {
    keys: Kept<Keys>,
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

/// A key's 32 bytes, which are never shown.
#[derive(Clone, Deserialize, Serialize)]
struct Secret(#[serde(with = "crate::state::base64")] [u8; 32]);

impl Kms {
    /// A service with these keys.
    pub fn new(keys: Kept<Keys>, iam: Arc<Iam>) -> Self {
        Self { keys, iam }
    }

    /// `CreateKeyRing`; gives the ring's name.
    ///
    /// # Errors
    /// Not allowed, no such location, a wrong ID, or there is one.
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

    /// `CreateCryptoKey`, with one version; gives the key's name.
    ///
    /// # Errors
    /// Not allowed, no such ring, a wrong ID, or there is one.
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

    /// `Encrypt`, by the key or by the version of one.
    ///
    /// # Errors
    /// Not allowed, no such key, too much, or a checksum that is another one.
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

    /// `Decrypt`; gives the plaintext.
    ///
    /// # Errors
    /// Not allowed, no such key, a checksum that is another one, or a ciphertext of another key or
    /// associated data.
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
    /// Not allowed, no such key version, no SHA-256, or a checksum that is another one.
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

    /// `GetPublicKey`, in PEM.
    ///
    /// # Errors
    /// Not allowed, or no such key version.
    pub fn public_key(&self, context: &Context, version: &str) -> Result<String, Status> {
        self.demand(context, "viewPublicKey", version)?;
        let key = self.keys.look(|keys| keys.signing(version))?;
        let pem = key.verifying_key().to_public_key_pem(LineEnding::LF);
        pem.map_err(|_| Status::internal())
    }

    /// `GetIamPolicy` of a key or key ring.
    ///
    /// # Errors
    /// Not allowed, no such resource, or no such version.
    pub fn policy(&self, context: &Context, name: &str, version: u32) -> Result<Policy, Status> {
        self.demand_policy(context, name, "getIamPolicy")?;
        self.iam.policy(name, version)
    }

    /// `SetIamPolicy` of a key or key ring.
    ///
    /// # Errors
    /// Not allowed, no such resource, or a policy that cannot be.
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

/// A key version's key, a key, and the ring that holds it: a policy on any of them counts.
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
mod tests {
    use super::*;
    use crate::services::testing::{OWNER, iam};

    const LOCATION: &str = "projects/project/locations/global";
    const RING: &str = "projects/project/locations/global/keyRings/r";

    fn ring(parent: &str, id: &str) -> CreateKeyRing {
        CreateKeyRing {
            parent: parent.into(),
            id: id.into(),
        }
    }

    fn key(id: &str, purpose: Purpose) -> CreateCryptoKey {
        CreateCryptoKey {
            parent: RING.into(),
            id: id.into(),
            purpose,
        }
    }

    fn kms_of(keys: Kept<Keys>) -> Kms {
        Kms::new(keys, Arc::new(iam()))
    }

    fn kms() -> Kms {
        let kms = kms_of(Kept::in_memory(Keys::default()));
        kms.create_key_ring(&OWNER, &ring(LOCATION, "r")).unwrap();
        for id in ["a", "b"] {
            let key = key(id, Purpose::EncryptDecrypt);
            kms.create_crypto_key(&OWNER, &key).unwrap();
        }
        let signing = key("signing", Purpose::AsymmetricSign);
        kms.create_crypto_key(&OWNER, &signing).unwrap();
        kms
    }

    fn checked(bytes: &[u8]) -> Checked {
        let bytes = bytes.to_vec();
        let crc32c = None;
        Checked { bytes, crc32c }
    }

    fn encrypt(name: &str) -> Encrypt {
        Encrypt {
            name: name.into(),
            plaintext: checked(b"text"),
            aad: checked(b"aad"),
        }
    }

    #[test]
    fn decrypts_with_the_same_key_and_data_only() {
        let kms = kms();
        let [a, b] = ["a", "b"].map(|id| format!("{RING}/cryptoKeys/{id}"));
        let sealed = kms.encrypt(&OWNER, &encrypt(&a)).unwrap();
        let open = |name: &str, aad: &[u8]| {
            let request = Decrypt {
                name: name.into(),
                ciphertext: checked(&sealed.ciphertext),
                aad: checked(aad),
            };
            kms.decrypt(&OWNER, &request).map_err(|status| status.code)
        };
        assert_eq!(open(&a, b"aad"), Ok(b"text".to_vec()));
        assert_eq!(open(&a, b"other"), Err(400));
        assert_eq!(open(&b, b"aad"), Err(400));
        assert_eq!(
            open(&format!("{RING}/cryptoKeys/signing"), b"aad"),
            Err(400)
        );
        assert_eq!(open(&format!("{RING}/cryptoKeys/none"), b"aad"), Err(404));
    }

    #[test]
    fn a_wrong_checksum_names_its_field() {
        let kms = kms();
        let name = format!("{RING}/cryptoKeys/a");
        let right = i64::from(crc32c::crc32c(b"text"));
        let mut request = encrypt(&name);
        request.plaintext.crc32c = Some(right);
        let sealed = kms.encrypt(&OWNER, &request).unwrap();
        assert!(sealed.verified_plaintext && !sealed.verified_aad);
        let wrong = |bytes: &[u8]| Checked {
            crc32c: Some(1),
            ..checked(bytes)
        };
        request.aad = wrong(b"aad");
        let sign = AsymmetricSign {
            name: format!("{RING}/cryptoKeys/signing{VERSION}"),
            sha256: wrong(&[0; 32]),
        };
        for (refused, field) in [
            (
                kms.encrypt(&OWNER, &request).err(),
                "additional_authenticated_data",
            ),
            (kms.sign(&OWNER, &sign).err(), "digest"),
        ] {
            let expected = format!(
                "The checksum in field {field}_crc32c did not match the data in field {field}."
            );
            assert_eq!(refused.unwrap().message, expected);
        }
    }

    #[test]
    fn encrypts_by_a_version_too_and_decrypts_by_the_key_alone() {
        let kms = kms();
        let name = format!("{RING}/cryptoKeys/a");
        let version = format!("{name}{VERSION}");
        let sealed = kms.encrypt(&OWNER, &encrypt(&version)).unwrap();
        assert_eq!(sealed.name, version);
        let open = |name: &str| {
            let request = Decrypt {
                name: name.into(),
                ciphertext: checked(&sealed.ciphertext),
                aad: checked(b"aad"),
            };
            kms.decrypt(&OWNER, &request).map_err(|status| status.code)
        };
        assert!(open(&name).is_ok());
        assert_eq!(open(&version), Err(404));
        let other = encrypt(&format!("{name}/cryptoKeyVersions/2"));
        assert_eq!(kms.encrypt(&OWNER, &other).unwrap_err().code, 404);
    }

    #[test]
    fn rings_are_where_google_has_them() {
        let kms = kms();
        let code = |parent: &str, id: &str| {
            let made = kms.create_key_ring(&OWNER, &ring(parent, id));
            made.map_err(|status| status.code)
        };
        let location = |location: &str| format!("projects/project/locations/{location}");
        assert!(code(&location("us-central1"), "r").is_ok());
        assert_eq!(code(&location("nowhere-1"), "r"), Err(404));
        assert_eq!(code(LOCATION, "r"), Err(409));
        assert_eq!(code("projects/other1/locations/global", "r"), Err(403));
        assert!(code(LOCATION, &"a".repeat(63)).is_ok());
        for id in ["", "a/b", "a.b", &"a".repeat(64)] {
            assert_eq!(code(LOCATION, id), Err(400), "{id}");
        }
    }

    #[test]
    fn keys_are_there_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let open = || {
            let keys = Kept::open(folder.path(), "kms", || Ok::<_, ()>(Keys::default()));
            kms_of(keys.unwrap())
        };
        let first = open();
        first.create_key_ring(&OWNER, &ring(LOCATION, "r")).unwrap();
        let purposes = [Purpose::EncryptDecrypt, Purpose::AsymmetricSign];
        for (id, purpose) in ["data", "signing"].into_iter().zip(purposes) {
            first.create_crypto_key(&OWNER, &key(id, purpose)).unwrap();
        }
        let data = format!("{RING}/cryptoKeys/data");
        let signing = format!("{RING}/cryptoKeys/signing{VERSION}");
        let sealed = first.encrypt(&OWNER, &encrypt(&data)).unwrap();
        let second = open();
        let request = Decrypt {
            name: data,
            ciphertext: checked(&sealed.ciphertext),
            aad: checked(b"aad"),
        };
        assert_eq!(second.decrypt(&OWNER, &request), Ok(b"text".to_vec()));
        let public = |kms: &Kms| kms.public_key(&OWNER, &signing).unwrap();
        assert_eq!(public(&first), public(&second));
        let again = second.create_key_ring(&OWNER, &ring(LOCATION, "r"));
        assert_eq!(again.unwrap_err().code, 409);
    }
}
