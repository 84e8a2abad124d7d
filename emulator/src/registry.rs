//! A registry of images: the OCI distribution specification 1.1, without authentication. It serves the
//! files on disk without checking them: registries are not trusted, and tests simulate a malicious
//! registry by changing a file.

mod blobs;
mod digest;
mod error;
mod manifests;
mod referrers;
mod resource;
mod send;
mod store;
mod tags;
mod uploads;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query as InQuery, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};

pub use error::RegistryError;
use resource::{Query, Resource};
use store::Store;
use uploads::Uploads;

/// The routes of a registry that stores all content in `store_dir`.
pub fn router(store_dir: PathBuf) -> Router {
    let store = Store::new(store_dir);
    let uploads = Uploads::new(store.clone());
    Router::new()
        .route("/v2", get(version))
        .route("/v2/", get(version))
        .route("/v2/{*path}", any(answer))
        .with_state(Arc::new(Registry { store, uploads }))
}

struct Registry {
    store: Store,
    uploads: Uploads,
}

async fn version() -> Response {
    let version = [("Docker-Distribution-Api-Version", "registry/2.0")];
    (version, axum::Json(BTreeMap::<String, String>::new())).into_response()
}

async fn answer(
    State(registry): State<Arc<Registry>>,
    Path(path): Path<String>,
    InQuery(query): InQuery<Query>,
    request: Request,
) -> Response {
    let answered = registry.answer(&path, &query, request).await;
    answered.unwrap_or_else(IntoResponse::into_response)
}

impl Registry {
    async fn answer(
        &self,
        path: &str,
        query: &Query,
        request: Request,
    ) -> Result<Response, RegistryError> {
        use Resource as R;
        let (store, uploads) = (&self.store, &self.uploads);
        let (parts, body) = request.into_parts();
        let (method, headers) = (&parts.method, &parts.headers);
        match (method.as_str(), &Resource::parse(path)?) {
            ("GET" | "HEAD", R::Blob(n, d)) => blobs::read(store, (n, d), method, headers).await,
            ("DELETE", R::Blob(n, d)) => blobs::delete(store, n, d),
            ("POST", R::Uploads(n)) => uploads.begin(n, query, body).await,
            ("GET", R::Upload(n, id)) => uploads.progress(n, id).await,
            ("PATCH", R::Upload(n, id)) => uploads.append(n, id, headers, body).await,
            ("PUT", R::Upload(n, id)) => uploads.finish(n, id, query, headers, body).await,
            ("DELETE", R::Upload(n, id)) => uploads.cancel(n, id).await,
            ("GET" | "HEAD", R::Manifest(n, t)) => {
                manifests::read(store, (n, t), method, headers).await
            }
            ("PUT", R::Manifest(n, t)) => manifests::write(store, (n, t), headers, body).await,
            ("DELETE", R::Manifest(n, t)) => manifests::delete(store, n, t),
            ("GET", R::Referrers(n, d)) => referrers::list(store, n, d, query),
            ("GET", R::Tags(n)) => tags::list(store, n, query),
            _ => Err(RegistryError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "UNSUPPORTED",
                "answering request: the resource does not support the method",
            )),
        }
    }
}
