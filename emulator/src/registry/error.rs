use std::io;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::digest::{ContentDigest, InvalidDigest};

/// Why the registry refuses a request (OCI distribution specification, "Error codes").
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The repository does not have the blob.
    #[error("finding blob: {0} is unknown to the registry")]
    BlobUnknown(ContentDigest),
    /// The repository does not have the upload, or no longer has it.
    #[error("finding upload: unknown to the registry")]
    UploadUnknown,
    /// Another request is writing to the upload.
    #[error("writing upload: another request is writing to it")]
    UploadBusy,
    /// The chunk does not begin where the upload ends.
    #[error("writing upload: the chunk does not begin at byte {size}")]
    UploadRange {
        /// The size of the upload, in bytes.
        size: u64,
        /// The path of the upload.
        location: String,
    },
    /// The client closed the connection, or sent an invalid body.
    #[error("reading request: {0}")]
    Body(#[source] axum::Error),
    /// Text that is not a digest.
    #[error(transparent)]
    DigestInvalid(#[from] InvalidDigest),
    /// A request to finish an upload does not name its digest.
    #[error("finishing upload: the request names no digest")]
    DigestMissing,
    /// The content does not have the expected digest.
    #[error("checking content: expected {expected}, found {actual}")]
    DigestMismatch {
        /// The digest in the request.
        expected: ContentDigest,
        /// The digest of the received content.
        actual: ContentDigest,
    },
    /// A manifest names content that is not in this repository.
    #[error("checking manifest: {0} is unknown to the registry")]
    ManifestBlobUnknown(ContentDigest),
    /// A manifest that cannot be read.
    #[error("parsing manifest: {0}")]
    ManifestJson(#[source] content::json::JsonError),
    /// The schema version of a manifest is not 2.
    #[error("parsing manifest: expected schema version 2, found {0}")]
    ManifestSchema(u64),
    /// The media type is not one of a manifest, or request and document differ.
    #[error("checking manifest: unexpected media type {0:?}")]
    ManifestMediaType(String),
    /// The repository does not have the manifest.
    #[error("finding manifest: {0} is unknown to the registry")]
    ManifestUnknown(String),
    /// The name of the repository is invalid.
    #[error("parsing name: invalid repository name")]
    NameInvalid,
    /// The registry does not have the repository.
    #[error("finding repository: {0} is unknown to the registry")]
    NameUnknown(String),
    /// The tag is invalid.
    #[error("parsing tag: invalid tag")]
    TagInvalid,
    /// The content is larger than the registry accepts.
    #[error("reading request: larger than the limit of {limit} bytes")]
    TooLarge {
        /// The largest size, in bytes.
        limit: u64,
    },
    /// The requested range is outside of the blob.
    #[error("reading blob: the range is not within its {size} bytes")]
    RangeInvalid {
        /// The size of the blob, in bytes.
        size: u64,
    },
    /// The resource does not support the method.
    #[error("answering request: the resource does not support the method")]
    Unsupported,
    /// The path does not name a resource.
    #[error("answering request: no such resource")]
    NoResource,
    /// The disk failed.
    #[error("using store: {0}")]
    Io(#[from] io::Error),
    /// The task that answers the request was cancelled or panicked.
    #[error("answering request: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl RegistryError {
    /// The HTTP status and the error code of the specification.
    fn code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::BlobUnknown(_) => (StatusCode::NOT_FOUND, "BLOB_UNKNOWN"),
            Self::UploadUnknown => (StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN"),
            Self::UploadBusy => (StatusCode::CONFLICT, "BLOB_UPLOAD_INVALID"),
            Self::UploadRange { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, "BLOB_UPLOAD_INVALID"),
            Self::Body(_) => (StatusCode::BAD_REQUEST, "BLOB_UPLOAD_INVALID"),
            Self::DigestInvalid(_) | Self::DigestMissing | Self::DigestMismatch { .. } => {
                (StatusCode::BAD_REQUEST, "DIGEST_INVALID")
            }
            Self::ManifestBlobUnknown(_) => (StatusCode::NOT_FOUND, "MANIFEST_BLOB_UNKNOWN"),
            Self::ManifestJson(_) | Self::ManifestSchema(_) | Self::ManifestMediaType(_) => {
                (StatusCode::BAD_REQUEST, "MANIFEST_INVALID")
            }
            Self::TagInvalid => (StatusCode::BAD_REQUEST, "MANIFEST_INVALID"),
            Self::ManifestUnknown(_) => (StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN"),
            Self::NameInvalid => (StatusCode::BAD_REQUEST, "NAME_INVALID"),
            Self::NameUnknown(_) => (StatusCode::NOT_FOUND, "NAME_UNKNOWN"),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "SIZE_INVALID"),
            Self::RangeInvalid { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, "SIZE_INVALID"),
            Self::Unsupported => (StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED"),
            Self::NoResource => (StatusCode::NOT_FOUND, "UNSUPPORTED"),
            Self::Io(_) | Self::Task(_) => (StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN"),
        }
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut set = |name, text: &str| {
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(name, value);
            }
        };
        match self {
            Self::UploadRange { size, location } => {
                set(header::LOCATION, location);
                set(header::RANGE, &received(*size));
            }
            Self::RangeInvalid { size } => set(header::CONTENT_RANGE, &format!("bytes */{size}")),
            _ => {}
        }
        headers
    }
}

impl IntoResponse for RegistryError {
    fn into_response(self) -> Response {
        let (status, code) = self.code();
        let body = json!({"errors": [{"code": code, "message": self.to_string()}]});
        (status, self.headers(), Json(body)).into_response()
    }
}

/// The value of the `Range` header after `size` received bytes. The specification has no value for zero
/// bytes; registries send `0-0`.
pub fn received(size: u64) -> String {
    format!("0-{}", size.saturating_sub(1))
}
