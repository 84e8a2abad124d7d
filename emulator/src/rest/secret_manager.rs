//! Secret Manager v1.

mod message;

use std::sync::Arc;

use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use self::message::{AddVersion, Empty};
use super::call::{Call, name};
use super::policy;
use super::routes::routes;
use crate::clock;
use crate::services::Context;
use crate::services::Services;
use crate::services::accounts::Service;
use crate::services::secret_manager::{
    Accessed, Checked, Replication, Secret, SecretManager, State, Version, VersionName,
};
use crate::status::Status;

/// The routes of Secret Manager v1.
pub fn router(services: Arc<Services>) -> Router {
    routes(services, answer)
}

fn answer(services: &Services, call: &Call) -> Result<Value, Status> {
    let context = &services.context(call.bearer.as_deref(), Service::SecretManager)?;
    let manager = &services.secret_manager;
    let parts: Vec<&str> = call.resource.split('/').collect();
    match parts.as_slice() {
        ["projects", project, "secrets"] => of_project(manager, context, call, project),
        ["projects", _, "secrets", _] => of_secret(manager, context, call),
        ["projects", _, "secrets", _, "versions"] => list_versions(manager, context, call),
        ["projects", _, "secrets", _, "versions", _] => of_version(manager, context, call),
        _ => Err(call.unknown()),
    }
}

fn of_project(
    manager: &SecretManager,
    context: &Context,
    call: &Call,
    project: &str,
) -> Result<Value, Status> {
    match (call.method.as_str(), call.verb.as_str()) {
        ("POST", "") => {
            let (replication, notes) = call.message::<message::Secret>()?.create()?;
            let id = call.parameter("secretId");
            let made = manager.create(context, project, id, replication, notes)?;
            Ok(described(&made))
        }
        ("GET", "") => {
            let found = manager.list(context, project)?;
            let secrets: Vec<_> = found.iter().map(described).collect();
            Ok(json!({"secrets": secrets, "totalSize": secrets.len()}))
        }
        _ => Err(call.unknown()),
    }
}

fn of_secret(manager: &SecretManager, context: &Context, call: &Call) -> Result<Value, Status> {
    let secret = &name(&call.resource)?;
    match (call.method.as_str(), call.verb.as_str()) {
        ("GET", "") => Ok(described(&manager.get(context, secret)?)),
        ("PATCH", "") => {
            let asked: message::Secret = call.message()?;
            let etag = asked.etag.clone();
            let update = asked.update(call.parameter("updateMask"))?;
            Ok(described(&manager.update(context, secret, update, &etag)?))
        }
        ("DELETE", "") => {
            manager.delete(context, secret, call.parameter("etag"))?;
            Ok(json!({}))
        }
        ("POST", "addVersion") => {
            let AddVersion { payload, .. } = call.message()?;
            let crc32c = payload.data_crc32c.map(|sum| sum.0);
            let added = manager.add_version(context, secret, payload.data.0, crc32c)?;
            Ok(version(&added))
        }
        ("GET", "getIamPolicy") => {
            policy::answer(&manager.policy(context, secret, policy::version(call)?)?)
        }
        ("POST", "setIamPolicy") => {
            policy::answer(&manager.set_policy(context, secret, policy::change(call)?)?)
        }
        _ => Err(call.unknown()),
    }
}

fn list_versions(manager: &SecretManager, context: &Context, call: &Call) -> Result<Value, Status> {
    let secret = call.resource.strip_suffix("/versions").unwrap_or_default();
    match (call.method.as_str(), call.verb.as_str()) {
        ("GET", "") => {
            let found = manager.list_versions(context, &name(secret)?)?;
            let versions: Vec<_> = found.iter().map(version).collect();
            Ok(json!({"versions": versions, "totalSize": versions.len()}))
        }
        _ => Err(call.unknown()),
    }
}

fn of_version(manager: &SecretManager, context: &Context, call: &Call) -> Result<Value, Status> {
    let named: VersionName = name(&call.resource)?;
    let state = match (call.method.as_str(), call.verb.as_str()) {
        ("GET", "") => return Ok(version(&manager.get_version(context, &named)?)),
        ("GET", "access") => return Ok(accessed(&manager.access(context, &named)?)),
        ("POST", "enable") => State::Enabled,
        ("POST", "disable") => State::Disabled,
        ("POST", "destroy") => State::Destroyed,
        _ => return Err(call.unknown()),
    };
    call.message::<Empty>()?;
    Ok(version(&manager.set_state(context, &named, state)?))
}

fn described(secret: &Secret) -> Value {
    let replication = match &secret.replication {
        Replication::Automatic => json!({"automatic": {}}),
        Replication::UserManaged(locations) => {
            let replica = |location: &String| json!({"location": location});
            let replicas: Vec<_> = locations.iter().map(replica).collect();
            json!({"userManaged": {"replicas": replicas}})
        }
    };
    let mut written = json!({
        "name": secret.name,
        "createTime": clock::rfc3339(secret.created),
        "replication": replication,
        "etag": secret.etag,
    });
    let notes = &secret.notes;
    for (field, texts) in [
        ("labels", notes.labels.get()),
        ("annotations", notes.annotations.get()),
    ] {
        if !texts.is_empty() {
            written[field] = json!(texts);
        }
    }
    written
}

fn version(version: &Version) -> Value {
    let mut written = json!({
        "name": version.name,
        "createTime": clock::rfc3339(version.created),
        "state": version.state.name(),
        "replicationStatus": {"automatic": {}},
        "etag": format!("\"{:x}\"", version.created),
    });
    if version.checked == Checked::BySender {
        written["clientSpecifiedPayloadChecksum"] = true.into();
    }
    if let Some(destroyed) = version.destroyed {
        written["destroyTime"] = clock::rfc3339(destroyed).into();
    }
    written
}

fn accessed(accessed: &Accessed) -> Value {
    json!({
        "name": accessed.name,
        "payload": {
            "data": STANDARD.encode(&accessed.data),
            "dataCrc32c": crc32c::crc32c(&accessed.data).to_string(),
        },
    })
}
