//! Cloud KMS v1.

mod message;

use std::sync::Arc;

use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use google::kms::{Key, KeyVersion};
use serde_json::{Value, json};

use self::message::{CryptoKey, KeyRing, checked};
use super::call::{Call, name};
use super::policy;
use super::routes::routes;
use crate::services::Context;
use crate::services::Services;
use crate::services::accounts::Service;
use crate::services::kms::{
    AsymmetricSign, CreateCryptoKey, CreateKeyRing, Decrypt, Encrypt, Holder, KeyOrVersion, Kms,
    Purpose,
};
use crate::status::Status;

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
            None => key(kms, context, &name(&call.resource)?),
        },
        ("GET", "getIamPolicy") => {
            let holder = holder(&call.resource)?;
            policy::answer(&kms.policy(context, &holder, policy::version(call)?)?)
        }
        ("POST", "setIamPolicy") => {
            let holder = holder(&call.resource)?;
            policy::answer(&kms.set_policy(context, &holder, policy::change(call)?)?)
        }
        ("POST", "testIamPermissions") => {
            let holder = holder(&call.resource)?;
            let permitted = kms.permitted(context, &holder, &policy::asked(call)?);
            Ok(json!({"permissions": permitted}))
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
            call.message::<KeyRing>()?;
            let id = call.parameter("keyRingId").to_owned();
            let parent = name(parent)?;
            let name = kms.create_key_ring(context, &CreateKeyRing { parent, id })?;
            Ok(json!({"name": name}))
        }
        "cryptoKeys" => {
            let id = call.parameter("cryptoKeyId").to_owned();
            let (purpose, written) = call.message::<CryptoKey>()?.purpose()?;
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

/// A key. It has one version, which is enabled, and its primary one if it encrypts.
fn key(kms: &Kms, context: &Context, name: &Key) -> Result<Value, Status> {
    let purpose = kms.key(context, name)?;
    let (purpose, algorithm) = match purpose {
        Purpose::EncryptDecrypt => ("ENCRYPT_DECRYPT", "GOOGLE_SYMMETRIC_ENCRYPTION"),
        Purpose::AsymmetricSign(algorithm) => ("ASYMMETRIC_SIGN", algorithm.name()),
    };
    let template = json!({"protectionLevel": "SOFTWARE", "algorithm": algorithm});
    let mut key = json!({"name": name, "purpose": purpose, "versionTemplate": template});
    if purpose == "ENCRYPT_DECRYPT" {
        let mut primary = template;
        primary["name"] = json!(name.first_version());
        primary["state"] = json!("ENABLED");
        key["primary"] = primary;
    }
    Ok(key)
}

fn encrypt(kms: &Kms, context: &Context, call: &Call) -> Result<Value, Status> {
    let body: message::Encrypt = call.message()?;
    let (aad, aad_crc32c) = (
        body.additional_authenticated_data,
        body.additional_authenticated_data_crc32c,
    );
    let request = Encrypt {
        name: key_or_version(&call.resource)?,
        plaintext: checked(body.plaintext, body.plaintext_crc32c),
        aad: checked(aad, aad_crc32c),
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
    let body: message::Decrypt = call.message()?;
    let (aad, aad_crc32c) = (
        body.additional_authenticated_data,
        body.additional_authenticated_data_crc32c,
    );
    let request = Decrypt {
        name: name(&call.resource)?,
        ciphertext: checked(body.ciphertext, body.ciphertext_crc32c),
        aad: checked(aad, aad_crc32c),
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
    let body: message::AsymmetricSign = call.message()?;
    let request = AsymmetricSign {
        name: name(&call.resource)?,
        signed: body.signed()?,
    };
    let answer = kms.sign(context, &request)?;
    Ok(json!({
        "name": request.name,
        "signature": STANDARD.encode(&answer.signature),
        "signatureCrc32c": crc32c::crc32c(&answer.signature).to_string(),
        "verifiedDigestCrc32c": answer.verified_digest,
        "verifiedDataCrc32c": answer.verified_data,
        "protectionLevel": "SOFTWARE",
    }))
}

fn public_key(kms: &Kms, context: &Context, version: &KeyVersion) -> Result<Value, Status> {
    let (algorithm, pem) = kms.public_key(context, version)?;
    Ok(json!({
        "name": version,
        "pem": pem,
        "pemCrc32c": crc32c::crc32c(pem.as_bytes()).to_string(),
        "algorithm": algorithm.name(),
        "protectionLevel": "SOFTWARE",
    }))
}
