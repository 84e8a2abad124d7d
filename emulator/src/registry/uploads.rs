//! Uploads of blobs, in one request or several.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::rand;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use content::limits;
use http_body_util::BodyExt as _;
use tokio::fs::OpenOptions;
use tokio::io::{AsyncWriteExt as _, BufWriter};

use super::RegistryError;
use super::digest::ContentDigest;
use super::error::received;
use super::resource::{Name, Query, UploadId};
use super::store::{self, Kind, Store};

/// The number of bytes that are buffered before they are written to disk.
const BUFFER: usize = 1 << 20;

/// The uploads of a registry. The received bytes of each upload are in a file; only the paths of the
/// uploads that are being written are in memory.
pub struct Uploads {
    store: Store,
    busy: Mutex<BTreeSet<PathBuf>>,
}

impl Uploads {
    /// The uploads of `store`.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            busy: Mutex::new(BTreeSet::new()),
        }
    }

    /// POST: mounts a blob from another repository, stores the body as a blob, or begins an upload.
    pub async fn begin(
        &self,
        name: &Name,
        query: &Query,
        body: Body,
    ) -> Result<Response, RegistryError> {
        if let Some(mounted) = self.mount(name, query)? {
            return Ok(mounted);
        }
        let id = new_id()?;
        store::write(&self.store.upload(name, &id), b"")?;
        match query.get("digest") {
            Some(digest) => {
                let digest = digest.parse()?;
                let claim = self.claim(self.store.upload(name, &id))?;
                // No client knows the ID of this upload, so that none can continue it.
                if let Err(broken) = take(&claim.path, body).await {
                    store::remove(&claim.path)?;
                    return Err(broken);
                }
                self.keep(name, &claim, digest).await
            }
            None => Ok(status(StatusCode::ACCEPTED, name, &id, 0)),
        }
    }

    /// Mounts the requested blob from the repository in `from`, or from any repository if there is no
    /// `from`. `None` if the query has no `mount`, or the blob is not available and must be uploaded.
    fn mount(&self, name: &Name, query: &Query) -> Result<Option<Response>, RegistryError> {
        let Some(digest) = query.get("mount") else {
            return Ok(None);
        };
        let digest = digest.parse()?;
        let is_there = match query.get("from") {
            Some(from) => self.store.has(&Name::parse(from)?, Kind::Blob, &digest),
            None => self.store.content(&digest).is_file(),
        };
        if !is_there {
            return Ok(None);
        }
        self.store.add_link(name, Kind::Blob, &digest, b"")?;
        Ok(Some(created(name, &digest)))
    }

    /// GET: the number of bytes that were received of an upload.
    pub async fn progress(&self, name: &Name, id: &UploadId) -> Result<Response, RegistryError> {
        let size = self.size(name, id).await?;
        Ok(status(StatusCode::NO_CONTENT, name, id, size))
    }

    /// PATCH: appends a chunk.
    pub async fn append(
        &self,
        name: &Name,
        id: &UploadId,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Response, RegistryError> {
        let claim = self.claim(self.store.upload(name, id))?;
        let size = self.take_chunk(name, id, headers, body, &claim).await?;
        Ok(status(StatusCode::ACCEPTED, name, id, size))
    }

    /// PUT: appends the last chunk, if there is one, and stores the blob if its digest is the expected one.
    pub async fn finish(
        &self,
        name: &Name,
        id: &UploadId,
        query: &Query,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Response, RegistryError> {
        let digest = query.get("digest").ok_or_else(|| {
            RegistryError::digest("finishing upload: the request names no digest".to_owned())
        })?;
        let digest = digest.parse()?;
        let claim = self.claim(self.store.upload(name, id))?;
        self.take_chunk(name, id, headers, body, &claim).await?;
        self.keep(name, &claim, digest).await
    }

    /// DELETE: cancels an upload.
    pub async fn cancel(&self, name: &Name, id: &UploadId) -> Result<Response, RegistryError> {
        let claim = self.claim(self.store.upload(name, id))?;
        match store::remove(&claim.path)? {
            store::Removed::Yes => Ok(StatusCode::NO_CONTENT.into_response()),
            store::Removed::WasNotThere => Err(RegistryError::upload_unknown()),
        }
    }

    async fn keep(
        &self,
        name: &Name,
        claim: &Claim<'_>,
        digest: ContentDigest,
    ) -> Result<Response, RegistryError> {
        let (path, expected) = (claim.path.clone(), digest.clone());
        let checked = tokio::task::spawn_blocking(move || check(&path, &expected)).await?;
        if let Err(refusal) = checked {
            store::remove(&claim.path)?;
            return Err(refusal);
        }
        self.store.keep(&claim.path, &digest)?;
        self.store.add_link(name, Kind::Blob, &digest, b"")?;
        Ok(created(name, &digest))
    }

    /// Appends a chunk and returns the new size of the upload, in bytes. A chunk with a range must begin
    /// where the upload ends and have the length of its range (OCI distribution specification, "Pushing
    /// a blob in chunks").
    async fn take_chunk(
        &self,
        name: &Name,
        id: &UploadId,
        headers: &HeaderMap,
        body: Body,
        claim: &Claim<'_>,
    ) -> Result<u64, RegistryError> {
        let size = self.size(name, id).await?;
        let refused = || RegistryError::upload_range(size, &location(name, id));
        let Some(range) = headers.get(header::CONTENT_RANGE) else {
            return take(&claim.path, body).await;
        };
        let end = match first_and_last(range) {
            Some((start, end)) if size == start => end,
            _ => return Err(refused()),
        };
        let taken = take(&claim.path, body).await?;
        if end.checked_add(1) == Some(taken) {
            return Ok(taken);
        }
        let file = OpenOptions::new().write(true).open(&claim.path).await?;
        file.set_len(size).await?;
        Err(refused())
    }

    async fn size(&self, name: &Name, id: &UploadId) -> Result<u64, RegistryError> {
        let metadata = tokio::fs::metadata(self.store.upload(name, id)).await;
        Ok(metadata.map_err(RegistryError::upload)?.len())
    }

    /// Claims the exclusive right to write to an upload.
    fn claim(&self, path: PathBuf) -> Result<Claim<'_>, RegistryError> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if !busy.insert(path.clone()) {
            return Err(RegistryError::upload_busy());
        }
        Ok(Claim {
            uploads: self,
            path,
        })
    }
}

/// The exclusive right to write to an upload, released on drop.
struct Claim<'a> {
    uploads: &'a Uploads,
    path: PathBuf,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut busy = self
            .uploads
            .busy
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        busy.remove(&self.path);
    }
}

fn first_and_last(range: &HeaderValue) -> Option<(u64, u64)> {
    let (first, last) = range.to_str().ok()?.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?))
}

fn new_id() -> Result<UploadId, RegistryError> {
    let mut random = [0; 16];
    rand::fill(&mut random)
        .map_err(|_| std::io::Error::other("the random number generator of the system failed"))?;
    Ok(UploadId::new(random))
}

/// Appends a body to a file and returns the new size of the file, in bytes.
async fn take(path: &Path, mut body: Body) -> Result<u64, RegistryError> {
    let file = OpenOptions::new().append(true).open(path).await;
    let file = file.map_err(RegistryError::upload)?;
    let mut size = file.metadata().await?.len();
    let mut file = BufWriter::with_capacity(BUFFER, file);
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame
            .map_err(|error| RegistryError::body(&error))?
            .into_data()
        else {
            continue;
        };
        size += bytes.len() as u64;
        if size > limits::LAYER {
            return Err(RegistryError::too_large(limits::LAYER));
        }
        file.write_all(&bytes).await?;
    }
    file.flush().await?;
    Ok(size)
}

fn check(path: &Path, expected: &ContentDigest) -> Result<(), RegistryError> {
    let actual = expected.algorithm().of_file(path)?;
    if actual != *expected {
        return Err(RegistryError::digest_differs(expected, &actual));
    }
    Ok(())
}

fn location(name: &Name, id: &UploadId) -> String {
    format!("/v2/{}/blobs/uploads/{}", name.as_str(), id.as_str())
}

fn status(status: StatusCode, name: &Name, id: &UploadId, size: u64) -> Response {
    let headers = [
        (header::LOCATION, location(name, id)),
        (header::RANGE, received(size)),
    ];
    let id = [("Docker-Upload-UUID", id.as_str().to_owned())];
    (status, headers, id).into_response()
}

fn created(name: &Name, digest: &ContentDigest) -> Response {
    let location = format!("/v2/{}/blobs/{digest}", name.as_str());
    let digest = [("Docker-Content-Digest", digest.to_string())];
    (StatusCode::CREATED, [(header::LOCATION, location)], digest).into_response()
}
