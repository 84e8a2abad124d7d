//! Cloud KMS v1.

mod message;
mod resources;

use std::sync::Arc;

use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use google::kms::KeyVersion;
use serde_json::{Value, json};

use self::message::checked;
use super::call::{Call, name};
use super::policy;
use super::routes::routes;
use crate::services::Context;
use crate::services::Services;
use crate::services::accounts::Service;
use crate::services::kms::{
    AsymmetricSign, Decrypt, Encrypt, Holder, KeyOrVersion, Kms, VersionChange,
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
            None => resources::read(kms, context, call),
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
        ("POST", "") => resources::create(kms, context, call),
        ("PATCH", "") => resources::update(kms, context, call),
        ("POST", "updatePrimaryVersion") => resources::set_primary(kms, context, call),
        ("POST", "destroy") => {
            resources::change_version(kms, context, call, VersionChange::Destroy)
        }
        ("POST", "restore") => {
            resources::change_version(kms, context, call, VersionChange::Restore)
        }
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
