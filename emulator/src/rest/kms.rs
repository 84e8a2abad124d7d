//! Cloud KMS v1.

use std::sync::Arc;

use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use google::kms::KeyVersion;
use serde_json::{Value, json};

use super::call::{Call, name};
use super::policy;
use super::protojson::{self, name_of};
use super::routes::routes;
use crate::services::Context;
use crate::services::Services;
use crate::services::accounts::Service;
use crate::services::kms::{
    AsymmetricSign, Checked, CreateCryptoKey, CreateKeyRing, Decrypt, Encrypt, Holder,
    KeyOrVersion, Kms, Purpose,
};
use crate::status::Status;

/// `CryptoKeyPurpose`, as far as it is emulated (google/cloud/kms/v1/resources.proto).
const PURPOSES: [(u64, &str); 2] = [(1, "ENCRYPT_DECRYPT"), (5, "ASYMMETRIC_SIGN")];
/// `CryptoKeyVersionAlgorithm`, as far as it is emulated (google/cloud/kms/v1/resources.proto).
const ALGORITHMS: [(u64, &str); 2] = [
    (1, "GOOGLE_SYMMETRIC_ENCRYPTION"),
    (12, "EC_SIGN_P256_SHA256"),
];

/// The routes of Cloud KMS v1.
pub fn router(services: Arc<Services>) -> Router {
    routes(services, answer)
}

fn answer(services: &Services, call: &Call) -> Result<Value, Status> {
    let context = &services.context(call.bearer.as_deref(), Service::Kms)?;
    let kms = &services.kms;
    match (call.method.as_str(), call.verb.as_str()) {
        ("POST", "encrypt") => encrypt(kms, context, call),
        ("POST", "decrypt") => decrypt(kms, context, call),
        ("POST", "asymmetricSign") => sign(kms, context, call),
        ("GET", "") => match call.resource.strip_suffix("/publicKey") {
            Some(version) => public_key(kms, context, &name(version)?),
            None => Err(call.unknown()),
        },
        ("GET", "getIamPolicy") => {
            let holder = holder(&call.resource)?;
            policy::answer(&kms.policy(context, &holder, policy::version(call)?)?)
        }
        ("POST", "setIamPolicy") => {
            let holder = holder(&call.resource)?;
            policy::answer(&kms.set_policy(context, &holder, policy::change(call)?)?)
        }
        ("POST", "") => create(kms, context, call),
        _ => Err(call.unknown()),
    }
}

/// The key ring or key with this name.
fn holder(text: &str) -> Result<Holder, Status> {
    match text.parse() {
        Ok(key) => Ok(Holder::Key(key)),
        Err(_) => name(text).map(Holder::Ring),
    }
}

/// The key or key version with this name.
fn key_or_version(text: &str) -> Result<KeyOrVersion, Status> {
    match text.parse() {
        Ok(version) => Ok(KeyOrVersion::Version(version)),
        Err(_) => name(text).map(KeyOrVersion::Key),
    }
}

fn create(kms: &Kms, context: &Context, call: &Call) -> Result<Value, Status> {
    let (parent, kind) = call
        .resource
        .rsplit_once('/')
        .ok_or_else(|| call.unknown())?;
    match kind {
        "keyRings" => {
            let id = call.parameter("keyRingId").to_owned();
            let parent = name(parent)?;
            let name = kms.create_key_ring(context, &CreateKeyRing { parent, id })?;
            Ok(json!({"name": name}))
        }
        "cryptoKeys" => {
            let id = call.parameter("cryptoKeyId").to_owned();
            let (purpose, written) = purpose(&call.body)?;
            let request = CreateCryptoKey {
                parent: name(parent)?,
                id,
                purpose,
            };
            let name = kms.create_crypto_key(context, &request)?;
            Ok(json!({"name": name, "purpose": written}))
        }
        _ => Err(call.unknown()),
    }
}

/// The purpose of a new key, and its name in the answer.
fn purpose(body: &Value) -> Result<(Purpose, &'static str), Status> {
    let purpose = name_of(&body["purpose"], &PURPOSES);
    let algorithm = name_of(&body["versionTemplate"]["algorithm"], &ALGORITHMS);
    match (purpose, algorithm) {
        ("ENCRYPT_DECRYPT", "" | "GOOGLE_SYMMETRIC_ENCRYPTION") => {
            Ok((Purpose::EncryptDecrypt, "ENCRYPT_DECRYPT"))
        }
        ("ASYMMETRIC_SIGN", "EC_SIGN_P256_SHA256") => {
            Ok((Purpose::AsymmetricSign, "ASYMMETRIC_SIGN"))
        }
        _ => Err(Status::invalid(
            "The purpose or algorithm is not supported.",
        )),
    }
}

fn encrypt(kms: &Kms, context: &Context, call: &Call) -> Result<Value, Status> {
    let request = Encrypt {
        name: key_or_version(&call.resource)?,
        plaintext: checked(&call.body, "plaintext")?,
        aad: checked(&call.body, "additionalAuthenticatedData")?,
    };
    let answer = kms.encrypt(context, &request)?;
    Ok(json!({
        "name": answer.name,
        "ciphertext": STANDARD.encode(&answer.ciphertext),
        "ciphertextCrc32c": crc32c::crc32c(&answer.ciphertext).to_string(),
        "verifiedPlaintextCrc32c": answer.verified_plaintext,
        "verifiedAdditionalAuthenticatedDataCrc32c": answer.verified_aad,
        "protectionLevel": "SOFTWARE",
    }))
}

fn decrypt(kms: &Kms, context: &Context, call: &Call) -> Result<Value, Status> {
    let request = Decrypt {
        name: name(&call.resource)?,
        ciphertext: checked(&call.body, "ciphertext")?,
        aad: checked(&call.body, "additionalAuthenticatedData")?,
    };
    let plaintext = kms.decrypt(context, &request)?;
    Ok(json!({
        "plaintext": STANDARD.encode(&plaintext),
        "plaintextCrc32c": crc32c::crc32c(&plaintext).to_string(),
        "usedPrimary": true,
        "protectionLevel": "SOFTWARE",
    }))
}

fn sign(kms: &Kms, context: &Context, call: &Call) -> Result<Value, Status> {
    let request = AsymmetricSign {
        name: name(&call.resource)?,
        sha256: Checked {
            bytes: bytes(&call.body["digest"], "sha256")?,
            crc32c: checksum(&call.body, "digest")?,
        },
    };
    let answer = kms.sign(context, &request)?;
    Ok(json!({
        "name": request.name,
        "signature": STANDARD.encode(&answer.signature),
        "signatureCrc32c": crc32c::crc32c(&answer.signature).to_string(),
        "verifiedDigestCrc32c": answer.verified_digest,
        "protectionLevel": "SOFTWARE",
    }))
}

fn public_key(kms: &Kms, context: &Context, version: &KeyVersion) -> Result<Value, Status> {
    let pem = kms.public_key(context, version)?;
    Ok(json!({
        "name": version,
        "pem": pem,
        "pemCrc32c": crc32c::crc32c(pem.as_bytes()).to_string(),
        "algorithm": "EC_SIGN_P256_SHA256",
        "protectionLevel": "SOFTWARE",
    }))
}

/// A field of bytes with its checksum, if there is one.
fn checked(body: &Value, name: &str) -> Result<Checked, Status> {
    Ok(Checked {
        bytes: bytes(body, name)?,
        crc32c: checksum(body, name)?,
    })
}

fn bytes(body: &Value, name: &str) -> Result<Vec<u8>, Status> {
    let bytes = match &body[name] {
        Value::Null => Some(Vec::new()),
        Value::String(text) => protojson::bytes(text),
        _ => None,
    };
    bytes.ok_or_else(|| Status::invalid(format!("Invalid base64 in {name}.")))
}

fn checksum(body: &Value, name: &str) -> Result<Option<i64>, Status> {
    let name = format!("{name}Crc32c");
    match &body[&name] {
        Value::Null => Ok(None),
        value => protojson::Integer::try_from(value.clone())
            .map(|number| Some(number.0))
            .map_err(Status::invalid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_come_as_text_and_as_number() {
        let read = |crc: Value| checksum(&json!({"plaintextCrc32c": crc}), "plaintext");
        assert_eq!(read(json!(7)), Ok(Some(7)));
        assert_eq!(read(json!("7")), Ok(Some(7)));
        assert_eq!(read(Value::Null), Ok(None));
        for (crc, shown) in [(json!("x"), "\"x\""), (json!([]), "[]")] {
            let refused = read(crc).unwrap_err();
            assert_eq!(refused.code, 400);
            let expected = format!("Invalid value for an integer: {shown}");
            assert_eq!(refused.message, expected);
        }
    }

    #[test]
    fn purposes_come_by_name_and_by_number() {
        let read = |body: Value| purpose(&body).map(|(purpose, _)| purpose).ok();
        for name in [json!("ENCRYPT_DECRYPT"), json!(1)] {
            assert_eq!(
                read(json!({"purpose": name})),
                Some(Purpose::EncryptDecrypt)
            );
        }
        for name in [json!("EC_SIGN_P256_SHA256"), json!(12)] {
            let body = json!({"purpose": 5, "versionTemplate": {"algorithm": name}});
            assert_eq!(read(body), Some(Purpose::AsymmetricSign));
        }
        for body in [json!({}), json!({"purpose": 5}), json!({"purpose": "MAC"})] {
            assert_eq!(read(body), None);
        }
    }
}
