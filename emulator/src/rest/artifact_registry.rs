//! Artifact Registry v1, and who may read and write the registry: by the roles of Artifact Registry on a repository, or on the
//! project that its path begins with.

mod repositories;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Json, http::HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

pub use self::repositories::router;
use crate::services::Services;
use crate::services::accounts::Service;

/// The address at which clients ask how to authenticate.
const VERSION: [&str; 2] = ["/v2", "/v2/"];
/// The permissions of Artifact Registry.
const DOWNLOAD: &str = "artifactregistry.repositories.downloadArtifacts";
const UPLOAD: &str = "artifactregistry.repositories.uploadArtifacts";

/// Who may write to the registry.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub enum Writers {
    /// Anyone, without credentials.
    #[default]
    Anyone,
    /// Those with the role of a writer on the repository, or on the project that its path begins with, as the project's owner has.
    Owners,
}

/// Who may read the registry.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub enum Readers {
    /// Anyone, without credentials, as from a repository that `allUsers` may read.
    #[default]
    Anyone,
    /// Those with the role of a reader on the repository, or on the project that its path begins with, as the project's owner has.
    Granted,
}

/// Who may use the registry.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Users {
    /// Who may read.
    pub readers: Readers,
    /// Who may write.
    pub writers: Writers,
}

impl Users {
    /// The routes of a registry that these may use.
    pub fn of(self, registry: Router, services: Arc<Services>) -> Router {
        match self == Self::default() {
            true => registry,
            false => registry.layer(from_fn_with_state((services, self), check)),
        }
    }

    /// The permission that a request needs; `None` if anyone may make it.
    fn needed(self, method: &Method) -> Option<&'static str> {
        let is_reading = [Method::GET, Method::HEAD].contains(method);
        match is_reading {
            true => (self.readers == Readers::Granted).then_some(DOWNLOAD),
            false => (self.writers == Writers::Owners).then_some(UPLOAD),
        }
    }
}

async fn check(
    State((services, users)): State<(Arc<Services>, Users)>,
    mut request: Request,
    next: Next,
) -> Response {
    let token = token(request.headers());
    if users.readers == Readers::Granted && !may_mount(&services, token.as_deref(), request.uri()) {
        forget_mount(&mut request);
    }
    let path = request.uri().path();
    let needed = users.needed(request.method());
    match (token, needed) {
        (None, _) if VERSION.contains(&path) => unauthorized(),
        (None, Some(_)) => unauthorized(),
        (Some(token), Some(permission))
            if !VERSION.contains(&path) && !may(&services, &token, permission, path) =>
        {
            denied(permission)
        }
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

/// Whether the caller with this token has the permission on the images at the path `/v2/PROJECT/REPOSITORY/…`.
fn may(services: &Services, token: &str, permission: &str, path: &str) -> bool {
    let images = path.strip_prefix("/v2/").unwrap_or_default();
    let context = services.context(Some(token), Service::ArtifactRegistry);
    context.is_ok_and(|context| {
        let registry = &services.artifact_registry;
        registry.demand(&context, permission, images).is_ok()
    })
}

/// Whether a request mounts no blob, or one from a repository that the caller may read.
fn may_mount(services: &Services, token: Option<&str>, uri: &Uri) -> bool {
    // The registry refuses a query that is malformed.
    let Ok(Query(query)) = Query::<BTreeMap<String, String>>::try_from_uri(uri) else {
        return true;
    };
    match (query.get("mount"), query.get("from"), token) {
        (None, ..) => true,
        (Some(_), Some(from), Some(token)) => {
            may(services, token, DOWNLOAD, &format!("/v2/{from}"))
        }
        (Some(_), ..) => false,
    }
}

/// Makes a request to mount a blob one to upload it (OCI distribution specification, "Mounting a blob from another repository").
fn forget_mount(request: &mut Request) {
    let path = request.uri().path().parse();
    *request.uri_mut() = path.unwrap_or_default();
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

fn denied(permission: &str) -> Response {
    let message = format!("Permission \"{permission}\" denied on resource (or it may not exist)");
    error(StatusCode::FORBIDDEN, "DENIED", &message)
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!({"errors": [{"code": code, "message": message}]});
    (status, Json(body)).into_response()
}
