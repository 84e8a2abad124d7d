//! Resource Manager v1 and v3: projects and their policies.

use std::sync::Arc;

use axum::Router;
use serde_json::{Value, json};

use super::call::Call;
use super::policy;
use super::routes::versions;
use crate::services::Services;
use crate::services::accounts::Service;
use crate::status::Status;

/// The routes of Resource Manager.
pub fn router(services: Arc<Services>) -> Router {
    versions(&["v1", "v3"], services, answer)
}

fn answer(services: &Services, call: &Call) -> Result<Value, Status> {
    let context = &services.context(call.bearer.as_deref(), Service::ResourceManager)?;
    let iam = &services.iam;
    let project = call.resource.strip_prefix("projects/");
    let project = project.filter(|project| !project.contains('/'));
    let project = project.ok_or_else(|| call.unknown())?;
    match (call.method.as_str(), call.verb.as_str()) {
        ("GET", "") => {
            let (id, number) = iam.get_project(context, project)?;
            Ok(json!({
                "projectNumber": number,
                "projectId": id,
                "name": id,
                "lifecycleState": "ACTIVE",
            }))
        }
        ("POST", "getAncestry") => {
            // The projects of the emulator are in no folder and in no organisation.
            let (id, _) = iam.get_project(context, project)?;
            Ok(json!({"ancestor": [{"resourceId": {"type": "project", "id": id}}]}))
        }
        ("POST", "getIamPolicy") => {
            let asked: policy::Get = call.message()?;
            let found = iam.project_policy(context, project, asked.version())?;
            policy::answer(&found)
        }
        ("POST", "setIamPolicy") => {
            let change = policy::change(call)?;
            policy::answer(&iam.set_project_policy(context, project, change)?)
        }
        ("POST", "testIamPermissions") => {
            let permitted = iam.project_permissions(context, project, &policy::asked(call)?);
            Ok(json!({"permissions": permitted}))
        }
        _ => Err(call.unknown()),
    }
}
