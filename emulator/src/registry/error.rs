use std::fmt::Display;
use std::io;

use axum::Json;
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why the registry refuses a request (OCI distribution specification, "Error codes").
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct RegistryError {
    status: StatusCode,
    code: &'static str,
    message: String,
    headers: HeaderMap,
}

const UPLOAD: &str = "BLOB_UPLOAD_INVALID";
const MANIFEST: &str = "MANIFEST_INVALID";

impl RegistryError {
    /// An error with a code of the specification.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            headers: HeaderMap::new(),
        }
    }

    fn with(mut self, name: HeaderName, text: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(text) {
            self.headers.insert(name, value);
        }
        self
    }

    /// The repository does not have the content that `code` is about.
    pub fn unknown(code: &'static str, doing: &str, what: &dyn Display) -> Self {
        let message = format!("{doing}: {what} is unknown to the registry");
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// The repository does not have the upload, or no longer has it.
    pub fn upload_unknown() -> Self {
        let message = "finding upload: unknown to the registry";
        Self::new(StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN", message)
    }

    /// The file of an upload cannot be used. It is missing once the upload has ended.
    pub fn upload(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::upload_unknown(),
            _ => error.into(),
        }
    }

    /// Another request is writing to the upload.
    pub fn upload_busy() -> Self {
        let message = "writing upload: another request is writing to it";
        Self::new(StatusCode::CONFLICT, UPLOAD, message)
    }

    /// A chunk does not begin at `size` bytes, where the upload at the path `location` ends.
    pub fn upload_range(size: u64, location: &str) -> Self {
        let message = format!("writing upload: the chunk does not begin at byte {size}");
        Self::new(StatusCode::RANGE_NOT_SATISFIABLE, UPLOAD, message)
            .with(header::LOCATION, location)
            .with(header::RANGE, &received(size))
    }

    /// The client closed the connection, or sent an invalid body.
    pub fn body(error: &dyn Display) -> Self {
        let message = format!("reading request: {error}");
        Self::new(StatusCode::BAD_REQUEST, UPLOAD, message)
    }

    /// A digest is missing or malformed, or the content has another.
    pub fn digest(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "DIGEST_INVALID", message)
    }

    /// The content does not have the digest in the request.
    pub fn digest_differs(expected: &dyn Display, actual: &dyn Display) -> Self {
        Self::digest(format!(
            "checking content: expected {expected}, found {actual}"
        ))
    }

    /// A manifest or tag is invalid.
    pub fn manifest(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, MANIFEST, message)
    }

    /// A manifest cannot be read.
    pub fn manifest_json(error: content::json::JsonError) -> Self {
        Self::manifest(format!("parsing manifest: {error}"))
    }

    /// The content is larger than `limit` bytes.
    pub fn too_large(limit: u64) -> Self {
        let message = format!("reading request: larger than the limit of {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "SIZE_INVALID", message)
    }

    /// The requested range is outside of the `size` bytes of a blob.
    pub fn range(size: u64) -> Self {
        let message = format!("reading blob: the range is not within its {size} bytes");
        Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "SIZE_INVALID", message)
            .with(header::CONTENT_RANGE, &format!("bytes */{size}"))
    }
}

/// The disk failed.
impl From<io::Error> for RegistryError {
    fn from(error: io::Error) -> Self {
        let message = format!("using store: {error}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN", message)
    }
}

/// The task that answers the request was cancelled or panicked.
impl From<tokio::task::JoinError> for RegistryError {
    fn from(error: tokio::task::JoinError) -> Self {
        let message = format!("answering request: {error}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN", message)
    }
}

impl IntoResponse for RegistryError {
    fn into_response(self) -> Response {
        let body = json!({"errors": [{"code": self.code, "message": self.message}]});
        (self.status, self.headers, Json(body)).into_response()
    }
}

/// The value of the `Range` header after `size` received bytes. The specification has no value for zero
/// bytes; registries send `0-0`.
pub fn received(size: u64) -> String {
    format!("0-{}", size.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_missing_upload_is_unknown() {
        let status = |kind: io::ErrorKind| RegistryError::upload(kind.into()).status;
        assert_eq!(status(io::ErrorKind::NotFound), StatusCode::NOT_FOUND);
        let failed = status(io::ErrorKind::PermissionDenied);
        assert_eq!(failed, StatusCode::INTERNAL_SERVER_ERROR);
    }
}
