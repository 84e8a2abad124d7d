//! IAM v1: workload identity pools and service accounts.

use std::fmt::Display;
use std::sync::Arc;

use axum::Router;
use content::json::null_is_default;
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::routes::routes;
use crate::protojson::Ignored;
use crate::services::Services;
use crate::services::accounts::Service;
use crate::services::accounts::ServiceAccount;
use crate::services::iam::{CreatePool, CreateProvider, Pool};
use crate::status::Status;

/// The body of `projects.serviceAccounts.create`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct CreateServiceAccount {
    name: Ignored<String>,
    #[serde(alias = "account_id", deserialize_with = "null_is_default")]
    account_id: String,
    #[serde(alias = "service_account", deserialize_with = "null_is_default")]
    service_account: ServiceAccount,
}

/// The routes of IAM v1.
pub fn router(services: Arc<Services>) -> Router {
    routes(services, answer)
}

fn answer(services: &Services, call: &Call) -> Result<Value, Status> {
    let context = services.context(call.bearer.as_deref(), Service::Iam)?;
    let iam = &services.iam;
    let parts: Vec<_> = call.resource.split('/').collect();
    let text = |part: &str| part.to_owned();
    match (call.method.as_str(), &parts[..]) {
        (
            "POST",
            [
                "projects",
                project,
                "locations",
                location,
                "workloadIdentityPools",
            ],
        ) => {
            let request = CreatePool {
                project: text(project),
                location: text(location),
                id: text(call.parameter("workloadIdentityPoolId")),
                pool: call.message::<Pool>()?,
            };
            Ok(done(&iam.create_pool(&context, request)?))
        }
        (
            "POST",
            [
                "projects",
                project,
                "locations",
                location,
                "workloadIdentityPools",
                pool,
                "providers",
            ],
        ) => {
            let request = CreateProvider {
                project: text(project),
                location: text(location),
                pool: text(pool),
                id: text(call.parameter("workloadIdentityPoolProviderId")),
                provider: call.message()?,
            };
            Ok(done(&iam.create_provider(&context, request)?))
        }
        (
            "GET",
            [
                "projects",
                project,
                "locations",
                location,
                "workloadIdentityPools",
                pool,
            ],
        ) => {
            let (name, found) = iam.get_pool(&context, [project, location, pool])?;
            Ok(active(&name, json!(found)))
        }
        (
            "GET",
            [
                "projects",
                project,
                "locations",
                location,
                "workloadIdentityPools",
                pool,
                "providers",
                id,
            ],
        ) => {
            let (name, found) = iam.get_provider(&context, [project, location, pool, id])?;
            Ok(active(&name, json!(found)))
        }
        ("POST", ["projects", project, "serviceAccounts"]) => {
            let CreateServiceAccount {
                name: _,
                account_id,
                service_account,
            } = call.message()?;
            let made =
                iam.create_service_account(&context, project, &account_id, service_account)?;
            Ok(json!(made))
        }
        ("GET", ["projects", project, "serviceAccounts", address]) => {
            Ok(json!(iam.service_account(&context, project, address)?))
        }
        _ => Err(call.unknown()),
    }
}

/// A resource with its name and state. Nothing is deleted here, so that each is active.
fn active(name: &impl Display, mut resource: Value) -> Value {
    resource["name"] = json!(name.to_string());
    resource["state"] = json!("ACTIVE");
    resource
}

/// A finished operation (`google.longrunning.Operation`).
fn done(name: &impl Display) -> Value {
    let response = json!({"name": name.to_string()});
    json!({"name": format!("{name}/operations/done"), "done": true, "response": response})
}
