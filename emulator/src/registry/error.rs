use std::io;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::digest::{ContentDigest, InvalidDigest};

/// A request that the registry does not do (OCI distribution specification, error codes).
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// No such blob in this repository.
    #[error("finding blob: {0} is unknown to the registry")]
    BlobUnknown(ContentDigest),
    /// No such upload in this repository, or none any more.
    #[error("finding upload: unknown to the registry")]
    UploadUnknown,
    /// The upload is being written to by another request.
    #[error("writing upload: another request is writing to it")]
    UploadBusy,
    /// The chunk does not begin where the upload ends.
    #[error("writing upload: the chunk does not begin at byte {size}")]
    UploadRange {
        /// Bytes that the upload has.
        size: u64,
        /// Where to go on.
        location: String,
    },
    /// The client went away, or sent no proper body.
    #[error("reading request: {0}")]
    Body(#[source] axum::Error),
    /// Text that is not a digest.
    #[error(transparent)]
    DigestInvalid(#[from] InvalidDigest),
    /// An upload is finished by saying its digest.
    #[error("finishing upload: no digest was given")]
    DigestMissing,
    /// The content is another one.
    #[error("checking content: expected {expected}, found {actual}")]
    DigestMismatch {
        /// The digest announced.
        expected: ContentDigest,
        /// The digest of what came.
        actual: ContentDigest,
    },
    /// A manifest names content that is not in this repository.
    #[error("checking manifest: {0} is unknown to the registry")]
    ManifestBlobUnknown(ContentDigest),
    /// A manifest that cannot be read.
    #[error("parsing manifest: {0}")]
    ManifestJson(#[source] content::json::JsonError),
    /// A manifest of another schema version.
    #[error("parsing manifest: expected schema version 2, found {0}")]
    ManifestSchema(u64),
    /// A media type that is no manifest's, or another one in the document than in the request.
    #[error("checking manifest: {0:?} is not its media type")]
    ManifestMediaType(String),
    /// No such manifest in this repository.
    #[error("finding manifest: {0} is unknown to the registry")]
    ManifestUnknown(String),
    /// No name of a repository.
    #[error("parsing name: not the name of a repository")]
    NameInvalid,
    /// No such repository.
    #[error("finding repository: {0} is unknown to the registry")]
    NameUnknown(String),
    /// No name of a tag.
    #[error("parsing tag: not the name of a tag")]
    TagInvalid,
    /// More than the registry takes.
    #[error("reading request: larger than the limit of {limit} bytes")]
    TooLarge {
        /// Bytes allowed.
        limit: u64,
    },
    /// Bytes that are not there are asked for.
    #[error("reading blob: the range is not within its {size} bytes")]
    RangeInvalid {
        /// Bytes there are.
        size: u64,
    },
    /// A method that the resource does not have.
    #[error("answering request: the method is not supported here")]
    Unsupported,
    /// A path that is no resource.
    #[error("answering request: no such resource")]
    NoResource,
    /// The disk failed.
    #[error("using store: {0}")]
    Io(#[from] io::Error),
    /// A request that was given up from within.
    #[error("answering request: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl RegistryError {
    /// The code of the specification, and the status that goes with it.
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

/// How the specification writes that the first `size` bytes are there. It has no way to write
/// "none"; registries say `0-0` then.
pub fn received(size: u64) -> String {
    format!("0-{}", size.saturating_sub(1))
}
