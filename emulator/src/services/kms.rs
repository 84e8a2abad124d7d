//! Cloud KMS v1: keys, encrypt, decrypt, sign. Each call is authorised by the live policy of the key.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::Generate as _;
use p256::pkcs8::{EncodePublicKey as _, LineEnding};
use serde_json::{Value, json};

use crate::rest::protojson;
use crate::status::Status;

/// Bytes of plaintext and associated data at the most (Cloud KMS, `encrypt`).
const LIMIT: usize = 64 << 10;
/// `CryptoKeyPurpose`, as far as it is supported (google/cloud/kms/v1/resources.proto).
const PURPOSES: [(u64, &str); 2] = [(1, "ENCRYPT_DECRYPT"), (5, "ASYMMETRIC_SIGN")];
/// `CryptoKeyVersionAlgorithm`, as far as it is supported (the same).
const ALGORITHMS: [(u64, &str); 2] = [
    (1, "GOOGLE_SYMMETRIC_ENCRYPTION"),
    (12, "EC_SIGN_P256_SHA256"),
];
/// The one version that a key has.
const VERSION: &str = "/cryptoKeyVersions/1";
/// Bytes of an AES-GCM nonce.
const NONCE: usize = 12;

/// Key rings and keys by name.
#[derive(Default)]
pub struct Keys {
    rings: BTreeSet<String>,
    keys: BTreeMap<String, Key>,
}

enum Key {
    Symmetric(RandomizedNonceKey),
    Signing(SigningKey),
}

impl Keys {
    /// Makes a key ring.
    ///
    /// # Errors
    /// There is one.
    pub fn add_ring(&mut self, name: &str) -> Result<Value, Status> {
        match self.rings.insert(name.to_owned()) {
            true => Ok(json!({"name": name})),
            false => Err(Status::exists(format!("KeyRing {name} already exists."))),
        }
    }

    /// Makes a key with one version.
    ///
    /// # Errors
    /// No such ring, there is one, or a purpose or algorithm that this cloud does not have.
    pub fn add_key(&mut self, ring: &str, id: &str, body: &Value) -> Result<Value, Status> {
        let name = format!("{ring}/cryptoKeys/{id}");
        if !self.rings.contains(ring) {
            return Err(Status::not_found(format!("KeyRing {ring} not found.")));
        }
        if self.keys.contains_key(&name) {
            return Err(Status::exists(format!("CryptoKey {name} already exists.")));
        }
        let purpose = name_of(&body["purpose"], &PURPOSES);
        let algorithm = name_of(&body["versionTemplate"]["algorithm"], &ALGORITHMS);
        let key = match (purpose, algorithm) {
            ("ENCRYPT_DECRYPT", "" | "GOOGLE_SYMMETRIC_ENCRYPTION") => symmetric()?,
            ("ASYMMETRIC_SIGN", "EC_SIGN_P256_SHA256") => {
                Key::Signing(SigningKey::try_generate().map_err(|_| Status::internal())?)
            }
            _ => {
                return Err(Status::invalid(
                    "The purpose or algorithm is not supported.",
                ));
            }
        };
        self.keys.insert(name.clone(), key);
        Ok(json!({"name": name, "purpose": purpose}))
    }

    /// Whether there is such a key or ring.
    pub fn has(&self, name: &str) -> bool {
        self.keys.contains_key(name) || self.rings.contains(name)
    }

    /// `cryptoKeys.encrypt`, by the key `name` or by the version of one.
    ///
    /// # Errors
    /// No such key, too much, or a checksum that is another one.
    pub fn encrypt(&self, name: &str, body: &Value) -> Result<Value, Status> {
        let plaintext = bytes(body, "plaintext")?;
        let aad = bytes(body, "additionalAuthenticatedData")?;
        if plaintext.len() > LIMIT || aad.len() > LIMIT {
            return Err(Status::invalid(
                "The plaintext or the associated data is too large.",
            ));
        }
        let mut sealed = plaintext;
        let name = name.strip_suffix(VERSION).unwrap_or(name);
        let key = self.symmetric(name)?;
        let nonce = key.seal_in_place_append_tag(Aad::from(&aad), &mut sealed);
        let nonce = nonce.map_err(|_| Status::internal())?;
        let ciphertext = [nonce.as_ref().as_slice(), &sealed].concat();
        Ok(json!({
            "name": format!("{name}{VERSION}"),
            "ciphertext": STANDARD.encode(&ciphertext),
            "ciphertextCrc32c": crc32c::crc32c(&ciphertext).to_string(),
            "verifiedPlaintextCrc32c": !body["plaintextCrc32c"].is_null(),
            "verifiedAdditionalAuthenticatedDataCrc32c":
                !body["additionalAuthenticatedDataCrc32c"].is_null(),
            "protectionLevel": "SOFTWARE",
        }))
    }

    /// `cryptoKeys.decrypt`.
    ///
    /// # Errors
    /// No such key, a checksum that is another one, or a ciphertext of another key or associated
    /// data.
    pub fn decrypt(&self, name: &str, body: &Value) -> Result<Value, Status> {
        let wrong = "Decryption failed: verify that 'name' refers to the correct CryptoKey.";
        let ciphertext = bytes(body, "ciphertext")?;
        let aad = bytes(body, "additionalAuthenticatedData")?;
        let key = self.symmetric(name)?;
        let (nonce, sealed) = ciphertext
            .split_at_checked(NONCE)
            .ok_or_else(|| Status::invalid(wrong))?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Status::invalid(wrong))?;
        let mut sealed = sealed.to_vec();
        let plaintext = key.open_in_place(nonce, Aad::from(&aad), &mut sealed);
        let plaintext = plaintext.map_err(|_| Status::invalid(wrong))?;
        Ok(json!({
            "plaintext": STANDARD.encode(&*plaintext),
            "plaintextCrc32c": crc32c::crc32c(plaintext).to_string(),
            "usedPrimary": true,
            "protectionLevel": "SOFTWARE",
        }))
    }

    /// `cryptoKeyVersions.asymmetricSign`.
    ///
    /// # Errors
    /// No such key version, no SHA-256, or a checksum that is another one.
    pub fn sign(&self, version: &str, body: &Value) -> Result<Value, Status> {
        let digest = bytes(&body["digest"], "sha256")?;
        checksum(&body["digestCrc32c"], &digest, "digest")?;
        if digest.len() != 32 {
            return Err(Status::invalid("The digest must be a SHA-256 of 32 bytes."));
        }
        let signature: Signature = self
            .signing(version)?
            .sign_prehash(&digest)
            .map_err(|_| Status::internal())?;
        let signature = signature.to_der().as_bytes().to_vec();
        Ok(json!({
            "name": version,
            "signature": STANDARD.encode(&signature),
            "signatureCrc32c": crc32c::crc32c(&signature).to_string(),
            "verifiedDigestCrc32c": !body["digestCrc32c"].is_null(),
            "protectionLevel": "SOFTWARE",
        }))
    }

    /// `cryptoKeyVersions.getPublicKey`.
    ///
    /// # Errors
    /// No such key version.
    pub fn public_key(&self, version: &str) -> Result<Value, Status> {
        let key = self
            .signing(version)?
            .verifying_key()
            .to_public_key_pem(LineEnding::LF);
        let pem = key.map_err(|_| Status::internal())?;
        Ok(json!({
            "name": version,
            "pem": pem,
            "pemCrc32c": crc32c::crc32c(pem.as_bytes()).to_string(),
            "algorithm": "EC_SIGN_P256_SHA256",
            "protectionLevel": "SOFTWARE",
        }))
    }

    fn symmetric(&self, name: &str) -> Result<&RandomizedNonceKey, Status> {
        match self.keys.get(name) {
            Some(Key::Symmetric(key)) => Ok(key),
            Some(_) => Err(Status::precondition(format!(
                "{name} is not for encryption."
            ))),
            None => Err(Status::not_found(format!("CryptoKey {name} not found."))),
        }
    }

    fn signing(&self, version: &str) -> Result<&SigningKey, Status> {
        match version
            .strip_suffix(VERSION)
            .and_then(|name| self.keys.get(name))
        {
            Some(Key::Signing(key)) => Ok(key),
            Some(_) => Err(Status::precondition(format!(
                "{version} is not for signatures."
            ))),
            None => Err(Status::not_found(format!(
                "CryptoKeyVersion {version} not found."
            ))),
        }
    }
}

/// An enumeration's name; clients may send its number (Protocol Buffers, "ProtoJSON"). Empty if it is
/// absent or unknown.
fn name_of<'a>(value: &'a Value, names: &[(u64, &'static str)]) -> &'a str {
    let number = value.as_u64();
    let named = names.iter().find(|(known, _)| Some(*known) == number);
    named.map_or(value.as_str().unwrap_or_default(), |(_, name)| name)
}

fn symmetric() -> Result<Key, Status> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Status::internal())?;
    let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| Status::internal())?;
    Ok(Key::Symmetric(key))
}

/// A member of bytes, checked by its checksum where there is one.
fn bytes(body: &Value, name: &str) -> Result<Vec<u8>, Status> {
    let text = body[name].as_str().unwrap_or_default();
    let bytes = protojson::bytes(text);
    let bytes = bytes.ok_or_else(|| Status::invalid(format!("Invalid base64 in {name}.")))?;
    checksum(&body[format!("{name}Crc32c")], &bytes, name)?;
    Ok(bytes)
}

/// A 64-bit integer as JSON has it in Google's interfaces: text, or a number.
fn checksum(value: &Value, bytes: &[u8], name: &str) -> Result<(), Status> {
    let name = snake_case(name);
    let number = value
        .as_u64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    match value.is_null() || number == Some(u64::from(crc32c::crc32c(bytes))) {
        true => Ok(()),
        false => {
            let message = format!(
                "The checksum in field {name}_crc32c did not match the data in field {name}."
            );
            Err(Status::invalid(message))
        }
    }
}

/// A field's name as messages have it, from its name in JSON.
fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const RING: &str = "projects/p/locations/global/keyRings/r";

    fn keys() -> Keys {
        let mut keys = Keys::default();
        keys.add_ring(RING).unwrap();
        for (id, purpose) in [("a", json!("ENCRYPT_DECRYPT")), ("b", json!(1))] {
            keys.add_key(RING, id, &json!({"purpose": purpose}))
                .unwrap();
        }
        keys
    }

    #[test]
    fn decrypts_with_the_same_key_and_data_only() {
        let keys = keys();
        let [a, b] = ["a", "b"].map(|id| format!("{RING}/cryptoKeys/{id}"));
        let aad = STANDARD.encode("aad");
        let sealed = keys
            .encrypt(
                &a,
                &json!({"plaintext": STANDARD.encode("text"), "additionalAuthenticatedData": aad}),
            )
            .unwrap();
        let body = |aad: &str| json!({"ciphertext": sealed["ciphertext"], "additionalAuthenticatedData": STANDARD.encode(aad)});
        let opened = keys.decrypt(&a, &body("aad")).unwrap();
        assert_eq!(opened["plaintext"], STANDARD.encode("text"));
        assert_eq!(keys.decrypt(&a, &body("other")).unwrap_err().code, 400);
        assert_eq!(keys.decrypt(&b, &body("aad")).unwrap_err().code, 400);
    }

    #[test]
    fn checksums_are_checked_as_text_and_number() {
        let keys = keys();
        let name = format!("{RING}/cryptoKeys/a");
        let body =
            |crc: Value| json!({"plaintext": STANDARD.encode("text"), "plaintextCrc32c": crc});
        let right = crc32c::crc32c(b"text");
        assert!(keys.encrypt(&name, &body(right.into())).is_ok());
        assert!(keys.encrypt(&name, &body(right.to_string().into())).is_ok());
        assert!(keys.encrypt(&name, &body("1".into())).is_err());
    }

    #[test]
    fn a_wrong_checksum_names_its_field() {
        let mut keys = keys();
        let template = json!({"algorithm": "EC_SIGN_P256_SHA256"});
        let signing = json!({"purpose": "ASYMMETRIC_SIGN", "versionTemplate": template});
        keys.add_key(RING, "signing", &signing).unwrap();
        let name = format!("{RING}/cryptoKeys/a");
        let aad = json!({"additionalAuthenticatedDataCrc32c": "1"});
        let digest = json!({"digest": {"sha256": STANDARD.encode([0; 32])}, "digestCrc32c": "1"});
        let version = format!("{RING}/cryptoKeys/signing{VERSION}");
        for (refused, field) in [
            (keys.encrypt(&name, &aad), "additional_authenticated_data"),
            (keys.sign(&version, &digest), "digest"),
        ] {
            let expected = format!(
                "The checksum in field {field}_crc32c did not match the data in field {field}."
            );
            assert_eq!(refused.unwrap_err().message, expected);
        }
    }

    #[test]
    fn encrypts_by_a_version_too_and_decrypts_by_the_key_alone() {
        let keys = keys();
        let name = format!("{RING}/cryptoKeys/a");
        let version = format!("{name}{VERSION}");
        let sealed = keys.encrypt(&version, &json!({"plaintext": ""})).unwrap();
        assert_eq!(sealed["name"], version);
        let body = json!({"ciphertext": sealed["ciphertext"]});
        assert!(keys.decrypt(&name, &body).is_ok());
        assert_eq!(keys.decrypt(&version, &body).unwrap_err().code, 404);
        let other = format!("{name}/cryptoKeyVersions/2");
        assert_eq!(keys.encrypt(&other, &json!({})).unwrap_err().code, 404);
    }
}
