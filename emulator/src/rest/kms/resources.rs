//! Key rings, keys and versions: created, shown, listed and changed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::call::{Call, name};
use super::super::page::{Page, Sizes};
use super::message::{self, CryptoKey, KeyRing, UpdatePrimary};
use crate::clock::rfc3339;
use crate::services::Context;
use crate::services::kms::{
    CreateCryptoKey, CreateKeyRing, KeyDescription, Kms, Purpose, VersionChange, VersionDescription,
};
use crate::status::Status;

/// Resources per page (Cloud KMS v1, `ListCryptoKeysRequest.page_size`).
const PAGE: Sizes = Sizes {
    default: 100,
    most: 1000,
};

/// `create`, by the collection at the end of the path.
pub(super) fn create(kms: &Kms, context: &Context, call: &Call) -> Result<Value, Status> {
    let (parent, kind) = split(call)?;
    match kind {
        "keyRings" => {
            call.message::<KeyRing>()?;
            let id = call.parameter("keyRingId").to_owned();
            let parent = name(parent)?;
            let name = kms.create_key_ring(context, &CreateKeyRing { parent, id })?;
            Ok(ring(&name, context.now))
        }
        "cryptoKeys" => {
            let id = call.parameter("cryptoKeyId").to_owned();
            let asked = call.message::<CryptoKey>()?;
            let request = CreateCryptoKey {
                parent: name(parent)?,
                id,
                purpose: asked.purpose()?,
                labels: asked.labels,
            };
            Ok(key(&kms.create_crypto_key(context, &request)?, context.now))
        }
        "cryptoKeyVersions" => {
            call.message::<message::CryptoKeyVersion>()?;
            Ok(version(
                &kms.add_version(context, &name(parent)?)?,
                context.now,
            ))
        }
        _ => Err(call.unknown()),
    }
}

/// `get` and `list`.
pub(super) fn read(kms: &Kms, context: &Context, call: &Call) -> Result<Value, Status> {
    let (parent, last) = split(call)?;
    let now = context.now;
    match last {
        "keyRings" => {
            let found = kms.rings(context, &name(parent)?)?.into_iter();
            let found = found.map(|(one, at)| (one.id().to_owned(), ring(&one, at)));
            listed(call, "keyRings", found.collect())
        }
        "cryptoKeys" => {
            let found = kms.list(context, &name(parent)?)?.into_iter();
            let found = found.map(|one| (one.name.id().to_owned(), key(&one, now)));
            listed(call, "cryptoKeys", found.collect())
        }
        "cryptoKeyVersions" => {
            let found = kms.versions(context, &name(parent)?)?.into_iter();
            let found = found.map(|one| (format!("{:020}", one.name.number()), version(&one, now)));
            listed(call, "cryptoKeyVersions", found.collect())
        }
        _ => match parent.rsplit('/').next() {
            Some("keyRings") => {
                let named = name(&call.resource)?;
                Ok(ring(&named, kms.ring(context, &named)?))
            }
            Some("cryptoKeyVersions") => {
                Ok(version(&kms.version(context, &name(&call.resource)?)?, now))
            }
            _ => Ok(key(&kms.key(context, &name(&call.resource)?)?, now)),
        },
    }
}

/// `patch`.
pub(super) fn update(kms: &Kms, context: &Context, call: &Call) -> Result<Value, Status> {
    let mask = call.parameter("updateMask");
    let (parent, _) = split(call)?;
    match (parent.rsplit('/').next(), mask) {
        (Some("cryptoKeys"), "labels") => {
            let labels = call.message::<CryptoKey>()?.labels;
            let changed = kms.label(context, &name(&call.resource)?, labels)?;
            Ok(key(&changed, context.now))
        }
        (Some("cryptoKeyVersions"), "state") => {
            let change = match call.message::<message::CryptoKeyVersion>()?.state() {
                "ENABLED" => VersionChange::Enable,
                "DISABLED" => VersionChange::Disable,
                _ => return Err(Status::invalid("The state must be ENABLED or DISABLED.")),
            };
            change_version(kms, context, call, change)
        }
        (_, "") => Err(Status::invalid(
            "The request does not specify an update mask.",
        )),
        (_, other) => Err(Status::unimplemented(format!(
            "An update of {other} is not emulated."
        ))),
    }
}

/// `destroy` and `restore`, and what `update` makes of a state.
pub(super) fn change_version(
    kms: &Kms,
    context: &Context,
    call: &Call,
    change: VersionChange,
) -> Result<Value, Status> {
    let changed = kms.change_version(context, &name(&call.resource)?, change)?;
    Ok(version(&changed, context.now))
}

/// `updatePrimaryVersion`.
pub(super) fn set_primary(kms: &Kms, context: &Context, call: &Call) -> Result<Value, Status> {
    let UpdatePrimary {
        crypto_key_version_id: id,
        ..
    } = call.message()?;
    let number = id
        .parse()
        .map_err(|_| Status::invalid(format!("Invalid value for cryptoKeyVersionId: {id}")))?;
    let changed = kms.set_primary(context, &name(&call.resource)?, number)?;
    Ok(key(&changed, context.now))
}

fn split(call: &Call) -> Result<(&str, &str), Status> {
    call.resource.rsplit_once('/').ok_or_else(|| call.unknown())
}

fn listed(call: &Call, field: &str, all: BTreeMap<String, Value>) -> Result<Value, Status> {
    let total = all.len();
    let (found, next) = Page::read(call, PAGE)?.of(all);
    let found: Vec<_> = found.into_values().collect();
    Ok(json!({field: found, "nextPageToken": next, "totalSize": total}))
}

fn ring(name: &google::kms::KeyRing, created: u64) -> Value {
    json!({"name": name, "createTime": rfc3339(created)})
}

fn key(key: &KeyDescription, now: u64) -> Value {
    let (purpose, algorithm) = purpose(key.purpose);
    let mut written = json!({
        "name": key.name,
        "purpose": purpose,
        "createTime": rfc3339(key.created),
        "versionTemplate": {"protectionLevel": "SOFTWARE", "algorithm": algorithm},
        "destroyScheduledDuration": "2592000s",
    });
    if !key.labels.is_empty() {
        written["labels"] = json!(key.labels);
    }
    if key.purpose == Purpose::EncryptDecrypt {
        written["primary"] = version(&key.primary, now);
    }
    written
}

fn version(version: &VersionDescription, now: u64) -> Value {
    let (_, algorithm) = purpose(version.purpose);
    let time = rfc3339(version.created);
    json!({
        "name": version.name,
        "state": version.state.name(now),
        "protectionLevel": "SOFTWARE",
        "algorithm": algorithm,
        "createTime": time,
        "generateTime": time,
    })
}

fn purpose(purpose: Purpose) -> (&'static str, &'static str) {
    match purpose {
        Purpose::EncryptDecrypt => ("ENCRYPT_DECRYPT", "GOOGLE_SYMMETRIC_ENCRYPTION"),
        Purpose::AsymmetricSign(algorithm) => ("ASYMMETRIC_SIGN", algorithm.name()),
    }
}
