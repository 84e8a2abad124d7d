//! Who may write to the registry. Reading is open to all, as for a repository in Artifact Registry that `allUsers` may read.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Json, http::HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::services::Services;
use crate::services::accounts::Service;

/// The address at which clients ask how to authenticate.
const VERSION: [&str; 2] = ["/v2", "/v2/"];

/// Who may write to the registry.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub enum Writers {
    /// Anyone, without credentials.
    #[default]
    Anyone,
    /// The owner of the project that the repository's path begins with.
    Owners,
}

impl Writers {
    /// The routes of a registry to which these may write.
    pub fn of(self, registry: Router, services: Arc<Services>) -> Router {
        match self {
            Self::Anyone => registry,
            Self::Owners => registry.layer(from_fn_with_state(services, check)),
        }
    }
}

async fn check(State(services): State<Arc<Services>>, request: Request, next: Next) -> Response {
    let (path, method) = (request.uri().path(), request.method());
    let is_reading = [Method::GET, Method::HEAD].contains(method);
    let token = token(request.headers());
    match token {
        None if VERSION.contains(&path) || !is_reading => unauthorized(),
        Some(token) if !is_reading && !owns(&services, &token, path) => denied(),
        _ => next.run(request).await,
    }
}

/// The access token, as docker sends it: as the password of any user. Others send it as a bearer token.
fn token(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    if let Some(token) = value.strip_prefix("Bearer ") {
        return Some(token.to_owned());
    }
    let decoded = STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    decoded.split_once(':').map(|(_, token)| token.to_owned())
}

/// Whether the caller with this token owns the project in the path `/v2/PROJECT/…`.
fn owns(services: &Services, token: &str, path: &str) -> bool {
    let project = path.split('/').nth(2).unwrap_or_default();
    let caller = services
        .accounts
        .caller(Some(token), Service::Iam, services.now());
    caller.is_ok_and(|caller| services.accounts.owns(&caller, project))
}

fn unauthorized() -> Response {
    let mut response = error(
        StatusCode::UNAUTHORIZED,
        "UNAUTHORIZED",
        "authentication required",
    );
    let challenge = HeaderValue::from_static("Basic realm=\"emulator\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}

fn denied() -> Response {
    let message = "Permission \"artifactregistry.repositories.uploadArtifacts\" denied on resource (or it may not exist)";
    error(StatusCode::FORBIDDEN, "DENIED", message)
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!({"errors": [{"code": code, "message": message}]});
    (status, Json(body)).into_response()
}
