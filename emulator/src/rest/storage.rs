//! The JSON API of Cloud Storage v1.

mod answer;
mod message;
mod multipart;
mod resumable;
mod update;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use content::limits;

use self::answer::Links;
use self::message::{Bucket, Request};
use self::resumable::Sessions;
use super::policy;
use crate::legacy_error::LegacyError;
use crate::services::{Labels, Services};

/// The largest upload, in bytes: the emulator keeps all objects in memory.
const UPLOAD: u64 = limits::HTTP_BODY;

/// The services, their address in links, and uploads that are not finished.
type Shared = Arc<(Arc<Services>, Links, Sessions)>;
type Outcome = Result<Response, LegacyError>;
type Parameters = BTreeMap<String, String>;

/// The routes of Cloud Storage. `address` is that of this service.
pub fn router(address: &str, services: Arc<Services>) -> Router {
    let shared = Arc::new((services, Links::to(address), Sessions::default()));
    let limit = usize::try_from(UPLOAD).unwrap_or(usize::MAX);
    Router::new()
        .route("/storage/v1/b", any(buckets))
        .route("/storage/v1/b/{bucket}", any(bucket))
        .route("/storage/v1/b/{bucket}/iam", any(bucket_policy))
        .route("/storage/v1/b/{bucket}/o", any(objects))
        .route("/storage/v1/b/{bucket}/o/{object}", any(object))
        .route("/download/storage/v1/b/{bucket}/o/{object}", any(object))
        .fallback(async || LegacyError::no_method())
        .layer(DefaultBodyLimit::max(limit))
        .merge(
            Router::new()
                .route("/upload/storage/v1/b/{bucket}/o", any(upload))
                .layer(DefaultBodyLimit::max(resumable::LARGEST)),
        )
        .with_state(shared)
}

async fn buckets(
    State(shared): State<Shared>,
    method: Method,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
    body: Bytes,
) -> Outcome {
    let (services, links, _) = &*shared;
    let request = Request::new(services, &headers, query)?;
    let project = request.required("project")?;
    match method.as_str() {
        "POST" => {
            let Bucket {
                name,
                location,
                labels,
            } = message::parse(&body)?;
            let location = location.unwrap_or_else(|| "US".to_owned()).to_uppercase();
            let new = (&*location, Labels::new(labels)?);
            let made = services
                .storage
                .create_bucket(&request.context, project, &name, new)?;
            Ok(links.bucket(&made).into_response())
        }
        "GET" => {
            let found = services.storage.list_buckets(&request.context, project)?;
            Ok(links.buckets(&found).into_response())
        }
        _ => Err(LegacyError::no_method()),
    }
}

async fn bucket(
    State(shared): State<Shared>,
    method: Method,
    Path(name): Path<String>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
    body: Bytes,
) -> Outcome {
    let (services, links, _) = &*shared;
    let request = Request::new(services, &headers, query)?;
    match method.as_str() {
        "GET" => {
            let found = services.storage.get_bucket(&request.context, &name)?;
            Ok(links.bucket(&found).into_response())
        }
        "PATCH" => {
            let (storage, context) = (&services.storage, &request.context);
            let expected = request.number("ifMetagenerationMatch")?;
            let present = links.bucket(&storage.bucket_to_update(context, &name)?);
            let change = update::labels(&body, &present)?;
            let updated = storage.update_bucket(context, &name, change, expected)?;
            Ok(links.bucket(&updated).into_response())
        }
        "DELETE" => {
            services.storage.delete_bucket(&request.context, &name)?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        _ => Err(LegacyError::no_method()),
    }
}

async fn bucket_policy(
    State(shared): State<Shared>,
    method: Method,
    Path(name): Path<String>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
    body: Bytes,
) -> Outcome {
    let (services, ..) = &*shared;
    let request = Request::new(services, &headers, query)?;
    let storage = &services.storage;
    let policy = match method.as_str() {
        "GET" => {
            let version = request
                .number("optionsRequestedPolicyVersion")?
                .unwrap_or(1);
            let version = u32::try_from(version).unwrap_or(u32::MAX);
            storage.policy(&request.context, &name, version)?
        }
        "PUT" => storage.set_policy(&request.context, &name, message::policy(&body)?)?,
        _ => return Err(LegacyError::no_method()),
    };
    Ok(axum::Json(answer::policy(policy::answer(&policy)?, &name)).into_response())
}

async fn objects(
    State(shared): State<Shared>,
    method: Method,
    Path(bucket): Path<String>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
) -> Outcome {
    let (services, links, _) = &*shared;
    let request = Request::new(services, &headers, query)?;
    match method.as_str() {
        "GET" => {
            let prefix = request.parameter("prefix");
            let found = services.storage.list(&request.context, &bucket, prefix)?;
            Ok(links.objects(&found).into_response())
        }
        _ => Err(LegacyError::no_method()),
    }
}

async fn object(
    State(shared): State<Shared>,
    method: Method,
    Path((bucket, name)): Path<(String, String)>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
) -> Outcome {
    let (services, links, _) = &*shared;
    let request = Request::new(services, &headers, query)?;
    let storage = &services.storage;
    let (context, generation) = (&request.context, request.generation()?);
    match (method.as_str(), request.parameter("alt")) {
        ("GET", "media") => match storage.get(context, &bucket, &name, generation) {
            Ok((object, content)) => Ok(answer::media(&object, content, &headers)),
            Err(error) => Ok(answer::text(&error)),
        },
        ("GET", _) => {
            let (object, _) = storage.get(context, &bucket, &name, generation)?;
            Ok(links.object(&object).into_response())
        }
        ("DELETE", _) => {
            storage.delete(context, &bucket, &name, generation)?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        _ => Err(LegacyError::no_method()),
    }
}

async fn upload(
    State(shared): State<Shared>,
    method: Method,
    Path(bucket): Path<String>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
    body: Bytes,
) -> Outcome {
    let (services, links, sessions) = &*shared;
    let request = Request::new(services, &headers, query)?;
    match method.as_str() {
        "POST" => {}
        "PUT" => return sessions.take(services, links, &request, (&headers, &body)),
        "DELETE" => return sessions.cancel(services, &request),
        _ => return Err(LegacyError::no_method()),
    }
    let upload = match request.parameter("uploadType") {
        "media" => request.media(&headers, &body)?,
        "multipart" => request.multipart(&headers, &body)?,
        "resumable" => {
            let upload = request.resumable(&headers, &body)?;
            return sessions.begin(services, links, &request, (&bucket, upload));
        }
        other => {
            return Err(LegacyError::bad_request(format!(
                "Invalid uploadType: {other}"
            )));
        }
    };
    let made = services.storage.upload(&request.context, &bucket, upload)?;
    Ok(links.object(&made).into_response())
}
