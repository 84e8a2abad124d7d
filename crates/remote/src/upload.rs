//! Pushes blobs and layouts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use content::Digest;
use content::at::{self, At};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use oci::{Descriptor, Layout, Target, media};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use reqwest::{Body, Method, RequestBuilder, Response, StatusCode, Url};

use crate::access::{Access, Authorization};
use crate::http::{self, Answer};
use crate::pieces::{self, Pieces};
use crate::retry::retry;
use crate::{Error, Registry, hint};

const BYTES: &str = "application/octet-stream";
/// Files that are stored at the same time.
const AT_ONCE: usize = 4;

impl Registry {
    /// Stores `bytes` as a blob, unless the registry has it, and returns its descriptor.
    ///
    /// # Errors
    /// The error of a request that fails.
    pub async fn push_blob(&self, media_type: &str, bytes: &[u8]) -> Result<Descriptor, Error> {
        let descriptor = Descriptor::of(media_type, bytes);
        if !self.has_blob(&descriptor).await? {
            let bytes = Bytes::copy_from_slice(bytes);
            let time = self.time_to_send(&descriptor);
            retry(time, || self.upload(&descriptor, bytes.clone().into())).await?;
        }
        Ok(descriptor)
    }

    /// Stores a file as a blob, unless the registry has it. The file is read piece by piece, and must have
    /// the size and digest that `descriptor` names.
    ///
    /// # Errors
    /// [`Error::Refused`] if it has not, [`Error::File`] if the file cannot be read, or the error of a
    /// request that fails.
    pub async fn push_blob_file(&self, path: &Path, descriptor: &Descriptor) -> Result<(), Error> {
        if self.has_blob(descriptor).await? {
            self.count()(descriptor.size);
            return Ok(());
        }
        let time = self.time_to_send(descriptor);
        retry(time, || self.upload_file(path, descriptor)).await
    }

    /// Stores files as blobs, as [`Self::push_blob_file`], several at the same time. A blob that is named twice is sent once.
    ///
    /// # Errors
    /// The first error of [`Self::push_blob_file`]; other uploads are broken off.
    pub async fn push_blob_files(
        &self,
        files: impl IntoIterator<Item = (PathBuf, Descriptor)>,
    ) -> Result<(), Error> {
        let files = files.into_iter();
        let files = files.map(|(path, blob)| ((blob.digest, blob.size), (path, blob)));
        let files: BTreeMap<_, _> = files.collect();
        let pushed = stream::iter(files.into_values())
            .map(|(path, blob)| async move { self.push_blob_file(&path, &blob).await })
            .buffer_unordered(AT_ONCE);
        pushed.try_collect().await
    }

    async fn upload_file(&self, path: &Path, descriptor: &Descriptor) -> Result<(), Error> {
        let file = content::open_regular(path).map_err(At::reading(path))?;
        let count = self.count();
        let pieces = Pieces::new(file, descriptor).into_stream();
        let pieces = pieces.inspect_ok(move |piece| count(piece.len() as u64));
        let uploaded = self.upload(descriptor, Body::wrap_stream(pieces)).await;
        uploaded.map_err(|error| match pieces::failed_check(&error) {
            Some(check) => {
                let doing = format!("uploading {}", at::shown(path));
                Error::refused(doing, check, hint::LAYOUT)
            }
            None => error,
        })
    }

    /// Stores the image of a layout under `target`, the manifest last, and returns its digest.
    ///
    /// # Errors
    /// [`Error::Refused`] if the layout cannot be read or `target` is another digest, or the error of a
    /// request that fails.
    pub async fn push_layout(&self, layout: &Layout, target: &Target) -> Result<Digest, Error> {
        let unread = |error| Error::refused("reading layout".to_owned(), error, hint::LAYOUT);
        let image = layout.image().map_err(unread)?;
        self.check_target(target, image.image_digest())?;
        let manifest = image.manifest();
        let blobs = manifest.layers.iter().chain([&manifest.config]);
        let blobs = blobs.map(|blob| (layout.blob_path(&blob.digest), blob.clone()));
        self.push_blob_files(blobs).await?;
        self.push_manifest(target, image.manifest_bytes(), media::MANIFEST)
            .await
    }

    /// The time limit for an upload, which may share the network with others.
    fn time_to_send(&self, blob: &Descriptor) -> Duration {
        self.patience(blob.size.saturating_mul(AT_ONCE as u64))
    }

    async fn has_blob(&self, blob: &Descriptor) -> Result<bool, Error> {
        retry(self.patience(0), || self.has_blob_once(blob)).await
    }

    async fn has_blob_once(&self, blob: &Descriptor) -> Result<bool, Error> {
        let url = self.url(&format!("blobs/{}", blob.digest)).await?;
        let brief = |request: RequestBuilder| request.timeout(self.patience(0));
        let response = self.send(Access::Push, Method::HEAD, &url, brief).await?;
        match self.sort(&url, response).await? {
            Answer::Found(response) => {
                http::refuse_page(&url, blob, &response)?;
                Ok(true)
            }
            Answer::Absent => Ok(false),
        }
    }

    /// Uploads a blob in one piece: POST, then PUT (OCI distribution specification, pushing blobs).
    async fn upload(&self, blob: &Descriptor, body: Body) -> Result<(), Error> {
        let uploaded = async {
            let url = self.url("blobs/uploads/").await?;
            let place = self.begin_upload(&url).await?;
            self.finish_upload(&url, place, blob, body).await
        };
        uploaded.await.map_err(|source| match source {
            Error::Authenticate { .. } | Error::Credentials { .. } => source,
            source => Error::Upload {
                digest: blob.digest,
                source: Box::new(source),
            },
        })
    }

    /// Begins an upload and returns the URL for the blob.
    async fn begin_upload(&self, url: &str) -> Result<Url, Error> {
        // Some registries require Content-Length even for an empty body.
        let empty = |request: RequestBuilder| {
            let request = request.header(CONTENT_LENGTH, 0);
            request.timeout(self.patience(0))
        };
        let response = self.send(Access::Push, Method::POST, url, empty).await?;
        match self.sort(url, response).await? {
            Answer::Found(response) => {
                place(&response).ok_or_else(|| Error::header(url, "Location"))
            }
            Answer::Absent => Err(Error::NotFound {
                url: url.to_owned(),
            }),
        }
    }

    /// Sends the blob to `place`. Errors show `shown` instead, since the URL of the place can contain
    /// credentials. If the place is another service, no credentials are sent to it.
    async fn finish_upload(
        &self,
        shown: &str,
        mut place: Url,
        blob: &Descriptor,
        body: Body,
    ) -> Result<(), Error> {
        place
            .query_pairs_mut()
            .append_pair("digest", &blob.digest.to_string());
        let endpoint = self.endpoint().await?;
        let authorization = match endpoint.has_origin_of(&place) {
            true => self.authorization(Access::Push).await?,
            false => Authorization::Anonymous,
        };
        let request = self.authorize(endpoint.http.put(place), &authorization);
        let request = request
            .header(CONTENT_TYPE, BYTES)
            .header(CONTENT_LENGTH, blob.size)
            .timeout(self.time_to_send(blob));
        let response = request.body(body).send().await;
        let response = response.map_err(|error| http::broken(shown, error))?;
        self.expect_stored(shown, response, blob).await
    }

    /// Checks that the blob is stored: the status is 201 (the `Location` that should come with it is not
    /// needed), or it is another success and the registry has the blob.
    async fn expect_stored(
        &self,
        shown: &str,
        response: Response,
        blob: &Descriptor,
    ) -> Result<(), Error> {
        let status = response.status();
        let stored = match self.sort(shown, response).await? {
            Answer::Found(_) => status == StatusCode::CREATED || self.has_blob(blob).await?,
            Answer::Absent => false,
        };
        match stored {
            true => Ok(()),
            false => Err(Error::NotFound {
                url: shown.to_owned(),
            }),
        }
    }
}

/// The URL in an answer's `Location`, which may be relative to the request's.
fn place(response: &Response) -> Option<Url> {
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    response.url().join(location).ok()
}
