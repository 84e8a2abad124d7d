//! IAM v1: workload identity pools, service accounts and roles.

mod roles;
mod service_accounts;

use std::fmt::Display;
use std::sync::Arc;

use axum::Router;
use serde_json::{Value, json};

use super::call::Call;
use super::page::{Page, Sizes};
use super::routes::routes;
use crate::services::accounts::Service;
use crate::services::iam::{Alteration, CreatePool, CreateProvider, Existence, Iam, Pool};
use crate::services::{Context, Services};
use crate::status::Status;

/// Providers per page (IAM v1, `providers.list`).
const PAGE: Sizes = Sizes {
    default: 50,
    most: 100,
};

/// The routes of IAM v1.
pub fn router(services: Arc<Services>) -> Router {
    routes(services, answer)
}

fn answer(services: &Services, call: &Call) -> Result<Value, Status> {
    let context = services.context(call.bearer.as_deref(), Service::Iam)?;
    let iam = &services.iam;
    let parts: Vec<_> = call.resource.split('/').collect();
    match (call.method.as_str(), &parts[..]) {
        (
            _,
            [
                "projects",
                project,
                "locations",
                location,
                "workloadIdentityPools",
                rest @ ..,
            ],
        ) => pools(iam, &context, call, [project, location], rest),
        (_, ["projects", project, "serviceAccounts", rest @ ..]) => {
            service_accounts::answer(iam, &context, call, project, rest)
        }
        (
            _,
            [
                collection @ ("projects" | "organizations"),
                owner,
                "roles",
                rest @ ..,
            ],
        ) => roles::custom_roles(iam, &context, call, [collection, owner], rest),
        (_, ["roles", rest @ ..]) => roles::predefined_roles(call, rest),
        ("POST", ["permissions:queryTestablePermissions"]) => roles::testable_permissions(call),
        _ => Err(call.unknown()),
    }
}

/// Pools and their providers; `rest` follows `workloadIdentityPools`.
fn pools(
    iam: &Iam,
    context: &Context,
    call: &Call,
    [project, location]: [&str; 2],
    rest: &[&str],
) -> Result<Value, Status> {
    let text = |part: &str| part.to_owned();
    match (call.method.as_str(), rest) {
        ("POST", []) => {
            let request = CreatePool {
                project: text(project),
                location: text(location),
                id: text(call.parameter("workloadIdentityPoolId")),
                pool: call.message::<Pool>()?,
            };
            Ok(done(&iam.create_pool(context, request)?))
        }
        ("POST", [pool, "providers"]) => {
            let request = CreateProvider {
                project: text(project),
                location: text(location),
                pool: text(pool),
                id: text(call.parameter("workloadIdentityPoolProviderId")),
                provider: call.message()?,
            };
            Ok(done(&iam.create_provider(context, request)?))
        }
        ("GET", [pool]) => {
            let (name, found, existence) = iam.get_pool(context, [project, location, pool])?;
            Ok(in_state(&name, json!(found), existence))
        }
        ("GET", [pool, "providers"]) => {
            let page = Page::read(call, PAGE)?;
            let (pool, mut found) = iam.list_providers(context, [project, location, pool])?;
            if !call.is_true("showDeleted") {
                found.retain(|_, (_, existence)| *existence == Existence::Active);
            }
            let (found, next) = page.of(found);
            let named = |(id, (found, existence))| {
                let name = format_args!("{pool}/providers/{id}");
                in_state(&name, json!(found), existence)
            };
            let found: Vec<_> = found.into_iter().map(named).collect();
            Ok(json!({"workloadIdentityPoolProviders": found, "nextPageToken": next}))
        }
        ("GET", [pool, "providers", id]) => {
            let found = iam.get_provider(context, [project, location, pool, id])?;
            let (name, found, existence) = found;
            Ok(in_state(&name, json!(found), existence))
        }
        (_, [pool]) => {
            let change = alteration(call)?;
            let name = iam.alter_pool(context, [project, location, pool], &change)?;
            Ok(done(&name))
        }
        (_, [pool, "providers", id]) => {
            let change = alteration(call)?;
            let name = iam.alter_provider(context, [project, location, pool, id], &change)?;
            Ok(done(&name))
        }
        _ => Err(call.unknown()),
    }
}

fn alteration(call: &Call) -> Result<Alteration, Status> {
    match (call.method.as_str(), call.verb.as_str()) {
        ("PATCH", "") => Ok(Alteration::Patch {
            mask: call.parameter("updateMask").to_owned(),
            message: call.message()?,
        }),
        ("DELETE", "") => Ok(Alteration::Delete),
        ("POST", "undelete") => Ok(Alteration::Undelete),
        _ => Err(call.unknown()),
    }
}

/// A resource with its name and state.
fn in_state(name: &impl Display, mut resource: Value, existence: Existence) -> Value {
    resource["name"] = json!(name.to_string());
    resource["state"] = json!(existence.name());
    resource
}

/// A finished operation (`google.longrunning.Operation`).
fn done(name: &impl Display) -> Value {
    let response = json!({"name": name.to_string()});
    json!({"name": format!("{name}/operations/done"), "done": true, "response": response})
}
