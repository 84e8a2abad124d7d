//! Artifact Registry v1: policies of repositories.

use std::sync::Arc;

use axum::Router;
use serde_json::{Value, json};

use crate::rest::call::Call;
use crate::rest::policy;
use crate::rest::routes::routes;
use crate::services::Services;
use crate::services::accounts::Service;
use crate::services::artifact_registry::RepositoryName;
use crate::status::Status;

/// The routes of Artifact Registry v1.
pub fn router(services: Arc<Services>) -> Router {
    routes(services, answer)
}

fn answer(services: &Services, call: &Call) -> Result<Value, Status> {
    let context = &services.context(call.bearer.as_deref(), Service::ArtifactRegistry)?;
    let registry = &services.artifact_registry;
    let parts: Vec<&str> = call.resource.split('/').collect();
    let name = match parts.as_slice() {
        [
            "projects",
            project,
            "locations",
            location,
            "repositories",
            id,
        ] => RepositoryName {
            project,
            location,
            id,
        },
        _ => return Err(call.unknown()),
    };
    match (call.method.as_str(), call.verb.as_str()) {
        ("GET", "getIamPolicy") => {
            policy::answer(&registry.policy(context, name, policy::version(call)?)?)
        }
        ("POST", "setIamPolicy") => {
            policy::answer(&registry.set_policy(context, name, policy::change(call)?)?)
        }
        ("POST", "testIamPermissions") => {
            let permitted = registry.permissions(context, name, &policy::asked(call)?)?;
            Ok(json!({"permissions": permitted}))
        }
        _ => Err(call.unknown()),
    }
}
