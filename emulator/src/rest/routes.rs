//! Connects HTTP paths with services.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path as UrlPath, Query, State};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use content::limits;
use serde_json::Value;

use super::call::Call;
use crate::services::Services;
use crate::status::Status;

/// The function by which a service answers a call.
pub(super) type Answer = fn(&Services, &Call) -> Result<Value, Status>;

/// The routes of a service in version 1.
pub(super) fn routes(services: Arc<Services>, answer: Answer) -> Router {
    versions(&["v1"], services, answer)
}

/// The routes of a service in these versions.
pub(super) fn versions(versions: &[&str], services: Arc<Services>, answer: Answer) -> Router {
    let limit = usize::try_from(limits::HTTP_BODY).unwrap_or(usize::MAX);
    let router = versions.iter().fold(Router::new(), |router, version| {
        router.route(&format!("/{version}/{{*path}}"), any(handle))
    });
    router
        .fallback(async || Status::not_found("Not Found"))
        .layer(DefaultBodyLimit::max(limit))
        .with_state((services, answer))
}

async fn handle(
    State((services, answer)): State<(Arc<Services>, Answer)>,
    method: Method,
    uri: Uri,
    UrlPath(path): UrlPath<String>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let version = uri.path().split('/').nth(1).unwrap_or_default();
    let path = (version, path.as_str());
    let call = Call::read(method.as_str(), path, query, &headers, &body);
    match answer(&services, &call) {
        Ok(value) => Json(value).into_response(),
        Err(status) => status.into_response(),
    }
}
