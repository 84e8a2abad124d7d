//! Resource Manager v1, v2 and v3: projects, folders and organisations, and their policies.

use std::sync::Arc;

use axum::Router;
use serde_json::{Value, json};

use super::call::Call;
use super::policy;
use super::routes::versions;
use crate::services::accounts::{Container, Service};
use crate::services::iam::Iam;
use crate::services::{Context, Services};
use crate::status::Status;

/// The version in which resources have other fields than before.
const NEWEST: &str = "v3";

/// The routes of Resource Manager.
pub fn router(services: Arc<Services>) -> Router {
    versions(&["v1", "v2", NEWEST], services, answer)
}

fn answer(services: &Services, call: &Call) -> Result<Value, Status> {
    let context = &services.context(call.bearer.as_deref(), Service::ResourceManager)?;
    let iam = &services.iam;
    match call.resource.split_once('/') {
        Some(("projects", id)) if !id.contains('/') => of_project(iam, context, call, id),
        Some(("folders" | "organizations", number)) if !number.contains('/') => {
            of_container(iam, context, call)
        }
        _ => Err(call.unknown()),
    }
}

fn of_project(iam: &Iam, context: &Context, call: &Call, project: &str) -> Result<Value, Status> {
    match (call.method.as_str(), call.verb.as_str()) {
        ("GET", "") => {
            let named = iam.get_project(context, project)?;
            Ok(described(call, named, iam.above(project).first()))
        }
        ("POST", "getAncestry") => {
            let (id, _) = iam.get_project(context, project)?;
            let own = json!({"resourceId": {"type": "project", "id": id}});
            let above = iam.above(project).iter();
            let above = above.map(|one| json!({"resourceId": resource_id(one)}));
            let all: Vec<_> = [own].into_iter().chain(above).collect();
            Ok(json!({"ancestor": all}))
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

/// A project in the form of the version.
fn described(call: &Call, (id, number): (String, String), parent: Option<&Container>) -> Value {
    let is_newest = call.version == NEWEST;
    let mut project = match is_newest {
        true => json!({
            "name": format!("projects/{number}"),
            "projectId": id,
            "displayName": id,
            "state": "ACTIVE",
        }),
        false => json!({
            "projectNumber": number,
            "projectId": id,
            "name": id,
            "lifecycleState": "ACTIVE",
        }),
    };
    if let Some(parent) = parent {
        project["parent"] = match is_newest {
            true => json!(parent.to_string()),
            false => resource_id(parent),
        };
    }
    project
}

/// The name of a resource (Resource Manager v1, `ResourceId`).
fn resource_id(container: &Container) -> Value {
    json!({"type": container.kind(), "id": container.number().to_string()})
}

fn of_container(iam: &Iam, context: &Context, call: &Call) -> Result<Value, Status> {
    let name = &call.resource;
    match (call.method.as_str(), call.verb.as_str()) {
        ("GET", "") => {
            let chain = iam.container(context, name)?;
            Ok(container(call, chain))
        }
        ("POST", "getIamPolicy") => {
            let asked: policy::Get = call.message()?;
            policy::answer(&iam.container_policy(context, name, asked.version())?)
        }
        ("POST", "setIamPolicy") => {
            let change = policy::change(call)?;
            policy::answer(&iam.set_container_policy(context, name, change)?)
        }
        ("POST", "testIamPermissions") => {
            let permitted = iam.container_permissions(context, name, &policy::asked(call)?);
            Ok(json!({"permissions": permitted}))
        }
        _ => Err(call.unknown()),
    }
}

/// A folder or an organisation in the form of the version. `chain` is it and what it is in.
fn container(call: &Call, chain: &[Container]) -> Value {
    let state = match call.version == NEWEST {
        true => "state",
        false => "lifecycleState",
    };
    let mut described = json!({"name": call.resource, state: "ACTIVE"});
    if let [own, ..] = chain {
        described["displayName"] = format!("{}-{}", own.kind(), own.number()).into();
    }
    if let [_, parent, ..] = chain {
        described["parent"] = parent.to_string().into();
    }
    described
}
