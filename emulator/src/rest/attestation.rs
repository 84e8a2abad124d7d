//! The attestation service (Confidential Computing v1) and its OpenID Connect discovery.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::routing::get;
use serde_json::Value;

use super::call::Call;
use super::routes::routes;
use crate::attestation::Attestation;
use crate::services::Services;
use crate::status::Status;

/// The routes of Confidential Computing v1 and of the discovery document, served at `address`.
pub fn router(address: &str, services: Arc<Services>) -> Router {
    let discovery = Attestation::discovery(address);
    let keys = services.clone();
    routes(services, answer)
        .route(
            "/.well-known/openid-configuration",
            get(async move || Json(discovery.clone())),
        )
        .route("/jwks", get(async move || Json(keys.attestation.key_set())))
}

fn answer(services: &Services, call: &Call) -> Result<Value, Status> {
    let (attestation, now) = (&services.attestation, services.now());
    let location = call.resource.strip_suffix("/challenges");
    match (call.method.as_str(), call.verb.as_str(), location) {
        ("POST", "", Some(location)) => attestation.challenge(location, now),
        ("POST", "verifyConfidentialSpace", None) => {
            attestation.verify(&call.resource, call.body.clone(), now)
        }
        _ => Err(call.unknown()),
    }
}
