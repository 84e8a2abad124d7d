//! Answers of the JSON API.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::clock;
use crate::services::storage::{Bucket, Object, StorageError};

/// Links to resources at this address.
pub(super) struct Links(String);

impl Links {
    pub(super) fn to(address: &str) -> Self {
        Self(address.to_owned())
    }

    pub(super) fn bucket(&self, bucket: &Bucket) -> Json<Value> {
        Json(self.describe_bucket(bucket))
    }

    pub(super) fn buckets(&self, buckets: &[Bucket]) -> Json<Value> {
        let items: Vec<_> = buckets.iter().map(|b| self.describe_bucket(b)).collect();
        Json(json!({"kind": "storage#buckets", "items": items}))
    }

    pub(super) fn object(&self, object: &Object) -> Json<Value> {
        Json(self.describe_object(object))
    }

    pub(super) fn objects(&self, objects: &[Object]) -> Json<Value> {
        let items: Vec<_> = objects.iter().map(|o| self.describe_object(o)).collect();
        Json(json!({"kind": "storage#objects", "items": items}))
    }

    fn describe_bucket(&self, bucket: &Bucket) -> Value {
        let Bucket {
            name,
            project,
            location,
            created,
        } = bucket;
        let created = clock::rfc3339(*created);
        json!({
            "kind": "storage#bucket",
            "id": name,
            "name": name,
            "selfLink": format!("{}/storage/v1/b/{name}", self.0),
            "projectNumber": project.get().to_string(),
            "location": location,
            "storageClass": "STANDARD",
            "metageneration": "1",
            "etag": "CAE=",
            "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}},
            "timeCreated": created,
            "updated": created,
        })
    }

    fn describe_object(&self, object: &Object) -> Value {
        let (bucket, name, generation) = (&object.bucket, &object.name, object.generation);
        let link = format!("storage/v1/b/{bucket}/o/{}", name.segment());
        let created = clock::rfc3339(object.created);
        json!({
            "kind": "storage#object",
            "id": format!("{bucket}/{name}/{generation}"),
            "bucket": bucket,
            "name": name,
            "selfLink": format!("{}/{link}", self.0),
            "mediaLink": format!("{}/download/{link}?generation={generation}&alt=media", self.0),
            "generation": generation.to_string(),
            "metageneration": "1",
            "contentType": object.content_type,
            "storageClass": "STANDARD",
            "size": object.size.to_string(),
            "crc32c": checksum(object),
            "md5Hash": STANDARD.encode(object.md5),
            "etag": STANDARD.encode(generation.to_be_bytes()),
            "timeCreated": created,
            "updated": created,
        })
    }
}

/// The CRC32C of an object, in base64 of its bytes, most significant first.
fn checksum(object: &Object) -> String {
    STANDARD.encode(object.crc32c.to_be_bytes())
}

/// The content of an object.
pub(super) fn media(object: &Object, content: Vec<u8>) -> Response {
    let headers = [
        ("content-type", object.content_type.clone()),
        (
            "x-goog-hash",
            format!(
                "crc32c={},md5={}",
                checksum(object),
                STANDARD.encode(object.md5)
            ),
        ),
        ("x-goog-generation", object.generation.to_string()),
        ("x-goog-metageneration", "1".to_owned()),
        ("x-goog-stored-content-encoding", "identity".to_owned()),
        ("x-goog-stored-content-length", object.size.to_string()),
        ("x-goog-storage-class", "STANDARD".to_owned()),
    ];
    (headers, content).into_response()
}

/// A policy as Cloud Storage returns it.
pub(super) fn policy(mut policy: Value, bucket: &str) -> Value {
    policy["kind"] = "storage#policy".into();
    policy["resourceId"] = format!("projects/_/buckets/{bucket}").into();
    policy
}

/// An error in place of the content of an object, which is not JSON either.
pub(super) fn text(error: &StorageError) -> Response {
    let kind = [(CONTENT_TYPE, "text/html; charset=UTF-8")];
    (status(error), kind, error.message.clone()).into_response()
}

fn status(error: &StorageError) -> StatusCode {
    StatusCode::from_u16(error.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl IntoResponse for StorageError {
    fn into_response(self) -> Response {
        let Self {
            code,
            reason,
            message,
        } = &self;
        let errors = json!([{"message": message, "domain": "global", "reason": reason}]);
        let body = json!({"error": {"code": code, "message": message, "errors": errors}});
        (status(&self), Json(body)).into_response()
    }
}
