//! Blobs: GET, HEAD and DELETE.

use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};

use super::RegistryError;
use super::digest::ContentDigest;
use super::resource::Name;
use super::send::{Sent, send};
use super::store::{self, Kind, Removed, Store};

/// GET and HEAD: a blob, or the requested range of it.
pub async fn read(
    store: &Store,
    (name, digest): (&Name, &ContentDigest),
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, RegistryError> {
    let unknown = || unknown(digest);
    if !store.has(name, Kind::Blob, digest) {
        return Err(unknown());
    }
    let sent = Sent {
        path: &store.content(digest),
        media_type: "application/octet-stream",
        digest,
    };
    send(&sent, method, headers).await?.ok_or_else(unknown)
}

/// DELETE: removes a blob from the repository.
pub fn delete(
    store: &Store,
    name: &Name,
    digest: &ContentDigest,
) -> Result<Response, RegistryError> {
    match store::remove(&store.link(name, Kind::Blob, digest))? {
        Removed::Yes => Ok(StatusCode::ACCEPTED.into_response()),
        Removed::WasNotThere => Err(unknown(digest)),
    }
}

fn unknown(digest: &ContentDigest) -> RegistryError {
    RegistryError::unknown("BLOB_UNKNOWN", "finding blob", digest)
}
