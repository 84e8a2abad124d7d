use std::error::Error as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use content::{CheckError, Digest, Hasher};
use futures_util::stream::{self, Stream};
use oci::{Descriptor, Layout, Target, media};
use oci_client::Client;
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use reqwest::{Method, RequestBuilder};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use crate::credentials::Login;
use crate::http::{self, Answer};
use crate::registry::Access;
use crate::{Error, Registry};

/// Bytes read from a file at a time.
const PIECE: usize = 256 << 10;

impl Registry {
    /// Stores `bytes` as a blob, unless it is there.
    ///
    /// # Errors
    /// A registry that does not answer or that refuses.
    pub async fn push_blob(&self, media_type: &str, bytes: &[u8]) -> Result<Descriptor, Error> {
        let descriptor = Descriptor::of(media_type, bytes);
        if !self.has_blob(&descriptor).await? {
            let piece = Bytes::copy_from_slice(bytes);
            self.upload(&descriptor, stream::iter([Ok(piece)])).await?;
        }
        Ok(descriptor)
    }

    /// Stores a file as a blob, unless it is there. The file is read piece by piece, and must be
    /// what `descriptor` says.
    ///
    /// # Errors
    /// [`Error::Content`] if it is not, a file that cannot be read, or a registry that refuses.
    pub async fn push_blob_file(&self, path: &Path, descriptor: &Descriptor) -> Result<(), Error> {
        if self.has_blob(descriptor).await? {
            return Ok(());
        }
        let file = content::open_regular(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let pieces = Pieces::new(File::from_std(file), descriptor).into_stream();
        self.upload(descriptor, pieces)
            .await
            .map_err(|error| blame_file(path.to_owned(), error))
    }

    /// Stores the image of a layout, layers first, under `target`, and gives its digest.
    ///
    /// # Errors
    /// A layout that cannot be read, [`Error::Target`] if `target` is another digest, or a
    /// registry that refuses.
    pub async fn push_layout(&self, layout: &Layout, target: &Target) -> Result<Digest, Error> {
        let image = layout.image().map_err(|e| Error::Layout(Box::new(e)))?;
        self.check_target(target, image.image_digest())?;
        let manifest = image.manifest();
        for blob in manifest.layers.iter().chain([&manifest.config]) {
            self.push_blob_file(&layout.blob_path(&blob.digest), blob)
                .await?;
        }
        self.push_manifest(target, image.manifest_bytes(), media::MANIFEST)
            .await
    }

    async fn has_blob(&self, blob: &Descriptor) -> Result<bool, Error> {
        let url = self.url(&format!("blobs/{}", blob.digest));
        let brief = |request: RequestBuilder| request.timeout(http::patience(0));
        let response = self.send(Access::Push, Method::HEAD, &url, brief).await?;
        match http::sort(&url, response).await? {
            Answer::Found(response) => {
                http::refuse_page(&url, blob, &response)?;
                Ok(true)
            }
            Answer::Absent => Ok(false),
        }
    }

    /// The upload itself is oci-client's.
    async fn upload(
        &self,
        blob: &Descriptor,
        pieces: impl Stream<Item = Result<Bytes, OciDistributionError>> + Send + 'static,
    ) -> Result<(), Error> {
        let client = self.uploader().await?;
        let digest = blob.digest.to_string();
        let pushed = client.push_blob_stream(&self.reference, pieces, &digest, Some(blob.size));
        let time = http::patience(blob.size);
        let pushed = tokio::time::timeout(time, pushed).await;
        let pushed = pushed.map_err(|_| Error::Timeout {
            registry: self.repository().registry().to_owned(),
            seconds: time.as_secs(),
        })?;
        pushed
            .map(drop)
            .map_err(|source| upload_error(&blob.digest, source))
    }

    /// A client that has our token, or the login of a registry that wants no token. It is told
    /// nothing otherwise: what it has, it does not ask a token service for, whose answers it would
    /// read without a limit.
    async fn uploader(&self) -> Result<Client, Error> {
        let config = self.transport.config();
        let client = Client::try_from(config).map_err(|source| Error::Client {
            registry: self.repository().registry().to_owned(),
            source: Box::new(source),
        })?;
        let known = match (self.token(Access::Push).await?, &self.login) {
            (Some(token), _) => Some(RegistryAuth::Bearer(token)),
            (None, Login::Basic(user, password)) => {
                Some(RegistryAuth::Basic(user.clone(), password.clone()))
            }
            (None, Login::Anonymous) => None,
        };
        if let Some(known) = known {
            let host = self.reference.resolve_registry();
            client.store_auth_if_needed(host, &known).await;
        }
        Ok(client)
    }
}

/// The address of an upload is as good as a password for it, so it is not repeated.
fn upload_error(digest: &Digest, source: OciDistributionError) -> Error {
    let source = match source {
        OciDistributionError::RequestError(error) => error.without_url().into(),
        other => other,
    };
    Error::Upload {
        digest: *digest,
        source: Box::new(source),
    }
}

/// A check that fails while a file is sent breaks off the request, and comes back as its cause.
fn blame_file(path: PathBuf, error: Error) -> Error {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(source) = failed_check(inner) {
            let source = source.clone();
            return Error::Content { path, source };
        }
        cause = inner.source();
    }
    error
}

fn failed_check<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a CheckError> {
    match error.downcast_ref()? {
        OciDistributionError::IoError(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

/// A file on its way out, checked as it goes.
struct Pieces {
    file: File,
    expected: Digest,
    size: u64,
    seen: u64,
    hasher: Option<Hasher>,
}

impl Pieces {
    fn new(file: File, descriptor: &Descriptor) -> Self {
        Self {
            file,
            expected: descriptor.digest,
            size: descriptor.size,
            seen: 0,
            hasher: Some(Hasher::new()),
        }
    }

    fn into_stream(self) -> impl Stream<Item = Result<Bytes, OciDistributionError>> + Send {
        stream::try_unfold(self, |mut pieces| async move {
            let piece = pieces.next().await?;
            Ok(piece.map(|piece| (piece, pieces)))
        })
    }

    /// The last piece is held back until the digest is known: a registry never has all of a wrong
    /// file.
    async fn next(&mut self) -> Result<Option<Bytes>, OciDistributionError> {
        let left = self.size - self.seen;
        if left == 0 {
            self.check_end().await?;
            return Ok(None);
        }
        let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
        self.fill(&mut piece).await?;
        if self.seen == self.size {
            self.check_end().await?;
        }
        Ok(Some(piece.into()))
    }

    async fn fill(&mut self, piece: &mut [u8]) -> Result<(), OciDistributionError> {
        let mut filled = 0;
        while filled < piece.len() {
            let count = self.file.read(&mut piece[filled..]).await?;
            if count == 0 {
                return Err(self.too_short(self.seen + filled as u64));
            }
            filled += count;
        }
        self.seen += filled as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(piece);
        }
        Ok(())
    }

    async fn check_end(&mut self) -> Result<(), OciDistributionError> {
        let Some(hasher) = self.hasher.take() else {
            return Ok(());
        };
        if self.file.read(&mut [0]).await? != 0 {
            return Err(self.too_long());
        }
        let (expected, actual) = (self.expected, hasher.finish());
        match expected == actual {
            true => Ok(()),
            false => Err(wrong(CheckError::Digest { expected, actual })),
        }
    }

    fn too_short(&self, actual: u64) -> OciDistributionError {
        wrong(CheckError::Size {
            expected: self.size,
            actual,
            longer: false,
        })
    }

    /// By how much is not known: reading stops there.
    fn too_long(&self) -> OciDistributionError {
        wrong(CheckError::Size {
            expected: self.size,
            actual: self.size + 1,
            longer: true,
        })
    }
}

fn wrong(check: CheckError) -> OciDistributionError {
    std::io::Error::other(check).into()
}
