//! The client for one repository: manifests, blobs and authorization.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use content::at::At;
use content::{Digest, limits};
use oci::{Descriptor, Image, Manifest, Repository, Tag, Target, media};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use tempfile::NamedTempFile;
use tokio::sync::Mutex;

use crate::access::{Access, Authorization};
use crate::credentials;
use crate::http::{self, Answer, Meter};
use crate::login::{Credentials, Login};
use crate::retry::retry;
use crate::transport::{Endpoint, Endpoints};
use crate::{Error, Transport};

/// The user whose password is an access token (Artifact Registry, "Configure authentication for Docker").
const ACCESS_TOKEN: &str = "oauth2accesstoken";
const A_MANIFEST: &str = "a manifest";
/// The media types accepted for a manifest. Docker's types are requested too, so that the parser can
/// refuse them by name; without them, a registry would answer 404.
const MANIFESTS: &str = concat!(
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, ",
    "application/vnd.docker.distribution.manifest.v2+json, ",
    "application/vnd.docker.distribution.manifest.list.v2+json"
);

/// A client for one repository in a registry.
pub struct Registry {
    repository: Repository,
    endpoints: Endpoints,
    pub(crate) login: Login,
    /// The credentials to send for each kind of access, once they are known.
    pub(crate) known: Mutex<HashMap<Access, Authorization>>,
    /// The time limit for a request and its answer, without the time for its bytes.
    patience: Duration,
    /// Is told how many bytes of blobs came or went.
    count: Arc<dyn Fn(u64) + Send + Sync>,
}

impl Registry {
    /// Creates a client for `repository` with the credentials of the Docker credential store. Sends no
    /// request.
    ///
    /// # Errors
    /// [`Error::Credentials`] if the credential store cannot be read, [`Error::Transport`] if the HTTP
    /// client cannot be built, for example because of an invalid certificate.
    pub fn connect(repository: &Repository, transport: &Transport) -> Result<Self, Error> {
        let host = api_host(repository.registry());
        let login =
            credentials::find(host, repository.path()).map_err(|fault| Error::Credentials {
                registry: repository.registry().to_owned(),
                fault,
            })?;
        Ok(Self {
            repository: repository.clone(),
            endpoints: Endpoints::new(transport, host)?,
            login,
            known: Mutex::default(),
            patience: http::PATIENCE,
            count: Arc::new(|_| {}),
        })
    }

    /// Signs in as Google's service accounts do, with an access token, instead of the Docker credential store.
    pub fn with_access_token(self, token: String) -> Self {
        let login = Login::of(Credentials {
            basic: Some((ACCESS_TOKEN.to_owned(), token)),
            ..Credentials::default()
        });
        Self { login, ..self }
    }

    /// Uses no credentials, in place of those of the credential store.
    #[must_use]
    pub fn without_credentials(self) -> Self {
        let login = Login::Anonymous;
        Self { login, ..self }
    }

    /// Calls `count` with numbers of bytes while blobs are pulled and pushed. Of a blob that need not be pushed, all bytes are
    /// counted. Bytes that are transferred again are counted again.
    #[must_use]
    pub fn counting(self, count: impl Fn(u64) + Send + Sync + 'static) -> Self {
        let count = Arc::new(count);
        Self { count, ..self }
    }

    /// The receiver of numbers of bytes.
    pub(crate) fn count(&self) -> Arc<dyn Fn(u64) + Send + Sync> {
        self.count.clone()
    }

    /// Changes the time limit for a request and its answer, which is 60 s. The time for the bytes of
    /// content, at 64 KiB per second for all requests together, is added to it.
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The time limit for a request with `bytes` of content in it or in its answer.
    pub(crate) fn patience(&self, bytes: u64) -> Duration {
        self.patience + http::time_for(bytes)
    }

    /// The repository.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The descriptor of the manifest under `tag`; `None` if there is no such tag.
    ///
    /// # Errors
    /// The error of a request that fails, or [`Error::Limit`] if the answer is larger than
    /// [`limits::MANIFEST`].
    pub async fn resolve(&self, tag: &Tag) -> Result<Option<Descriptor>, Error> {
        let target = Target::Tag(tag.clone());
        let found = self.find_manifest(&target).await?;
        Ok(found.map(|(bytes, media_type)| Descriptor::of(&media_type, &bytes)))
    }

    /// The unparsed bytes of the manifest with this digest.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the registry does not have it, [`Error::DigestMismatch`] if the content has
    /// another digest, or the error of a request that fails.
    pub async fn manifest(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        let target = Target::Digest(*digest);
        let found = self.find_manifest(&target).await?;
        let url = self.manifest_url(&target).await?;
        let Some((bytes, _)) = found else {
            return Err(Error::NotFound { url });
        };
        http::check_digest(&url, *digest, Digest::of(&bytes))?;
        Ok(bytes)
    }

    /// The unparsed bytes of the manifest under `tag`; `None` if there is no such tag.
    ///
    /// # Errors
    /// As [`Registry::resolve`].
    pub async fn manifest_by_tag(&self, tag: &Tag) -> Result<Option<Vec<u8>>, Error> {
        let target = Target::Tag(tag.clone());
        Ok(self.find_manifest(&target).await?.map(|(bytes, _)| bytes))
    }

    /// The image with this digest: its manifest and configuration. Layers are not read.
    ///
    /// # Errors
    /// Those of [`Registry::manifest`] and [`Registry::blob`], or [`Error::Image`] if the manifest or
    /// the configuration cannot be parsed.
    pub async fn image(&self, digest: &Digest) -> Result<Image, Error> {
        let manifest_bytes = self.manifest(digest).await?;
        let manifest = Manifest::parse(&manifest_bytes).map_err(|e| self.image_error(e))?;
        let config_bytes = self.blob(&manifest.config, limits::CONFIG).await?;
        Image::parse(manifest_bytes, config_bytes).map_err(|e| self.image_error(e))
    }

    /// The blob that `descriptor` describes, of at most `limit` bytes.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the registry does not have it, [`Error::Limit`] if the descriptor's size is
    /// larger than `limit`, [`Error::SizeMismatch`] or [`Error::DigestMismatch`] if the content is not
    /// what the descriptor says, or the error of a request that fails.
    pub async fn blob(&self, descriptor: &Descriptor, limit: u64) -> Result<Vec<u8>, Error> {
        let time = self.patience(descriptor.size);
        retry(time, || self.blob_once(descriptor, limit)).await
    }

    async fn blob_once(&self, descriptor: &Descriptor, limit: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.stream_blob(descriptor, limit, |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })
        .await?;
        Ok(bytes)
    }

    /// Writes the blob that `descriptor` describes to the file `path`, of at most [`limits::LAYER`] bytes.
    /// The file appears by rename, after its size and digest have been checked.
    ///
    /// # Errors
    /// Those of [`Registry::blob`], and [`Error::File`] if the file cannot be written.
    pub async fn blob_to(&self, descriptor: &Descriptor, path: &Path) -> Result<(), Error> {
        let time = self.patience(descriptor.size);
        retry(time, || self.blob_to_once(descriptor, path)).await
    }

    async fn blob_to_once(&self, descriptor: &Descriptor, path: &Path) -> Result<(), Error> {
        let directory = path.parent().unwrap_or(Path::new("."));
        let mut file = NamedTempFile::new_in(directory).map_err(At::writing(path))?;
        self.stream_blob(descriptor, limits::LAYER, |piece| {
            Ok(std::io::Write::write_all(&mut file, piece).map_err(At::writing(path))?)
        })
        .await?;
        file.persist(path).map_err(|e| At::writing(path)(e.error))?;
        Ok(())
    }

    async fn stream_blob(
        &self,
        descriptor: &Descriptor,
        limit: u64,
        mut take: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let url = self.url(&format!("blobs/{}", descriptor.digest)).await?;
        if descriptor.size > limit {
            return Err(Error::Limit { url, limit });
        }
        let time = self.patience(descriptor.size);
        let shape = |request: RequestBuilder| request.timeout(time);
        let response = self.send(Access::Pull, Method::GET, &url, shape).await?;
        let Answer::Found(response) = self.sort(&url, response).await? else {
            return Err(Error::NotFound { url });
        };
        http::refuse_page(&url, descriptor, &response)?;
        check_announced(&url, descriptor, &response)?;
        let mut meter = Meter::new(&url);
        http::stream(&url, response, |piece| {
            meter.count(piece);
            meter.check_length(descriptor)?;
            (self.count)(piece.len() as u64);
            take(piece)
        })
        .await?;
        meter.check(descriptor)
    }

    /// The bytes and the media type of a manifest; `None` if the registry does not have it.
    async fn find_manifest(&self, target: &Target) -> Result<Option<(Vec<u8>, String)>, Error> {
        let time = self.patience(limits::MANIFEST);
        retry(time, || self.find_manifest_once(target)).await
    }

    async fn find_manifest_once(
        &self,
        target: &Target,
    ) -> Result<Option<(Vec<u8>, String)>, Error> {
        let url = self.manifest_url(target).await?;
        let time = self.patience(limits::MANIFEST);
        let accept = |request: RequestBuilder| request.header(ACCEPT, MANIFESTS).timeout(time);
        let response = self.send(Access::Pull, Method::GET, &url, accept).await?;
        let Answer::Found(response) = self.sort(&url, response).await? else {
            return Ok(None);
        };
        http::expect_document(&url, A_MANIFEST, &response)?;
        let media_type = match http::content_type(&response) {
            none if none.is_empty() => media::MANIFEST.to_owned(),
            media_type => media_type,
        };
        let bytes = http::read(&url, response, limits::MANIFEST).await?;
        // Content with the requested digest was stored as it is, even if it is not an object.
        if *target != Target::Digest(Digest::of(&bytes)) {
            http::expect_object(&url, A_MANIFEST, &bytes)?;
        }
        Ok(Some((bytes, media_type)))
    }

    /// Stores a manifest under `target` and returns its digest. The blobs that it names must have been
    /// pushed before.
    ///
    /// # Errors
    /// [`Error::Refused`] if `target` is another digest, or the error of a request that fails.
    pub async fn push_manifest(
        &self,
        target: &Target,
        bytes: &[u8],
        media_type: &str,
    ) -> Result<Digest, Error> {
        let digest = Digest::of(bytes);
        self.check_target(target, digest)?;
        let time = self.patience(bytes.len() as u64);
        retry(time, || self.put_manifest(target, bytes, media_type)).await?;
        Ok(digest)
    }

    async fn put_manifest(
        &self,
        target: &Target,
        bytes: &[u8],
        media_type: &str,
    ) -> Result<(), Error> {
        let url = self.manifest_url(target).await?;
        let put = |request: RequestBuilder| {
            request
                .header(CONTENT_TYPE, media_type)
                .timeout(self.patience(bytes.len() as u64))
                .body(bytes.to_vec())
        };
        let response = self.send(Access::Push, Method::PUT, &url, put).await?;
        match self.sort(&url, response).await? {
            Answer::Found(_) => Ok(()),
            Answer::Absent => Err(Error::NotFound { url }),
        }
    }

    /// Refuses a target with another digest before any request is sent.
    pub(crate) fn check_target(&self, target: &Target, actual: Digest) -> Result<(), Error> {
        match target {
            Target::Digest(expected) if *expected != actual => Err(Error::refused(
                format!("pushing to {}@{expected}", self.repository),
                format!("the manifest has the digest {actual}"),
                "push to a tag, or to the manifest's own digest",
            )),
            _ => Ok(()),
        }
    }

    /// # Errors
    /// The registry cannot be reached.
    pub(crate) async fn endpoint(&self) -> Result<&Endpoint, Error> {
        self.endpoints.choose().await
    }

    /// # Errors
    /// The registry cannot be reached.
    pub(crate) async fn url(&self, rest: &str) -> Result<String, Error> {
        let root = &self.endpoint().await?.root;
        Ok(format!("{root}{}/{rest}", self.repository.path()))
    }

    /// # Errors
    /// The registry cannot be reached.
    pub(crate) async fn manifest_url(&self, target: &Target) -> Result<String, Error> {
        self.url(&format!("manifests/{target}")).await
    }

    pub(crate) fn image_error(&self, source: oci::Error) -> Error {
        Error::Image {
            repository: self.repository.clone(),
            source: Box::new(source),
        }
    }

    /// Sends a request. If the answer is 401 and other credentials are available, sends it once more with
    /// those.
    pub(crate) async fn send(
        &self,
        access: Access,
        method: Method,
        url: &str,
        shape: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Error> {
        let sent = self.authorization(access).await?;
        let response = self.send_as(&sent, method.clone(), url, &shape).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        match self.renewed(access, &sent, response.headers()).await? {
            Some(renewed) => self.send_as(&renewed, method, url, &shape).await,
            None => Ok(response),
        }
    }

    async fn send_as(
        &self,
        authorization: &Authorization,
        method: Method,
        url: &str,
        shape: &impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Error> {
        let request = shape(self.endpoint().await?.http.request(method, url));
        let request = self.authorize(request, authorization);
        request.send().await.map_err(|e| http::broken(url, e))
    }

    /// Sorts an answer of this registry, as [`http::sort`] does.
    pub(crate) async fn sort(&self, url: &str, response: Response) -> Result<Answer, Error> {
        let sorted = http::sort(url, response).await;
        sorted.map_err(|error| self.blame_login(error))
    }
}

/// The host that serves a registry's API. Docker Hub's differs from the name in references.
fn api_host(registry: &str) -> &str {
    match registry {
        "docker.io" => "index.docker.io",
        registry => registry,
    }
}

/// Refuses an answer whose `Content-Length` is not the descriptor's size, before the body is read.
fn check_announced(url: &str, wanted: &Descriptor, response: &Response) -> Result<(), Error> {
    match response.content_length() {
        Some(actual) if actual != wanted.size => Err(Error::SizeMismatch {
            url: url.to_owned(),
            expected: wanted.size,
            actual,
        }),
        _ => Ok(()),
    }
}
