use std::collections::HashMap;
use std::path::Path;

use content::{Digest, limits};
use oci::{Descriptor, Image, Manifest, Repository, Tag, Target, media};
use oci_client::Reference;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use tempfile::NamedTempFile;
use tokio::sync::Mutex;

use crate::credentials::{self, Login};
use crate::http::{self, Answer, Meter};
use crate::{Error, Transport};

const A_MANIFEST: &str = "a manifest";
/// What a registry may answer for a manifest: Docker's types are refused by name when they are
/// read, and would otherwise seem not to be there.
const MANIFESTS: &str = concat!(
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, ",
    "application/vnd.docker.distribution.manifest.v2+json, ",
    "application/vnd.docker.distribution.manifest.list.v2+json"
);

/// A repository in a registry, to read from and to write to.
pub struct Registry {
    repository: Repository,
    /// The repository as the client for uploads names it.
    pub(crate) reference: Reference,
    pub(crate) transport: Transport,
    /// The address of the registry's API, with a slash at the end.
    pub(crate) root: String,
    pub(crate) http: reqwest::Client,
    pub(crate) login: Login,
    tokens: Mutex<HashMap<Access, Option<String>>>,
}

/// What a token must allow.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Access {
    Pull,
    Push,
}

impl Registry {
    /// Prepares to speak to the registry of `repository`, with the credentials of the Docker
    /// credential store. Nothing is sent yet.
    ///
    /// # Errors
    /// Credentials or certificates that cannot be read.
    pub fn connect(repository: &Repository, transport: &Transport) -> Result<Self, Error> {
        let registry = || repository.registry().to_owned();
        let path = repository.path().to_owned();
        let reference = Reference::with_tag(registry(), path, "latest".to_owned());
        // The name behind which the registry answers, where that is another one.
        let host = reference.resolve_registry();
        let login = credentials::find(host).map_err(|fault| Error::Credentials {
            registry: registry(),
            fault,
        })?;
        let http = transport.client(repository.registry())?;
        Ok(Self {
            repository: repository.clone(),
            root: transport.root(host),
            transport: transport.clone(),
            http,
            login,
            reference,
            tokens: Mutex::default(),
        })
    }

    /// The repository.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Where `tag` points now; `None` if there is no such tag.
    ///
    /// # Errors
    /// A registry that does not answer, or not within the limits.
    pub async fn resolve(&self, tag: &Tag) -> Result<Option<Descriptor>, Error> {
        let target = Target::Tag(tag.clone());
        let found = self.find_manifest(&target).await?;
        Ok(found.map(|(bytes, media_type)| Descriptor::of(&media_type, &bytes)))
    }

    /// The manifest with this digest, as it is.
    ///
    /// # Errors
    /// [`Error::NotFound`], a registry that does not answer, or one that gives another content.
    pub async fn manifest(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        let target = Target::Digest(*digest);
        let url = self.manifest_url(&target);
        let Some((bytes, _)) = self.find_manifest(&target).await? else {
            return Err(Error::NotFound { url });
        };
        http::check_digest(&url, *digest, Digest::of(&bytes))?;
        Ok(bytes)
    }

    /// The manifest under `tag`, as it is; `None` if there is no such tag.
    ///
    /// # Errors
    /// A registry that does not answer, or not within the limits.
    pub async fn manifest_by_tag(&self, tag: &Tag) -> Result<Option<Vec<u8>>, Error> {
        let target = Target::Tag(tag.clone());
        Ok(self.find_manifest(&target).await?.map(|(bytes, _)| bytes))
    }

    /// The image with this digest: manifest and configuration; layers are not read.
    ///
    /// # Errors
    /// Those of [`Registry::manifest`] and [`Registry::blob`], and what is no image.
    pub async fn image(&self, digest: &Digest) -> Result<Image, Error> {
        let manifest_bytes = self.manifest(digest).await?;
        let manifest = Manifest::parse(&manifest_bytes).map_err(|e| self.image_error(e))?;
        let config_bytes = self.blob(&manifest.config, limits::CONFIG).await?;
        Image::parse(manifest_bytes, config_bytes).map_err(|e| self.image_error(e))
    }

    /// The blob that `descriptor` describes, `limit` bytes at the most.
    ///
    /// # Errors
    /// [`Error::NotFound`], a registry that does not answer, or one that gives another content.
    pub async fn blob(&self, descriptor: &Descriptor, limit: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.stream_blob(descriptor, limit, |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })
        .await?;
        Ok(bytes)
    }

    /// Writes the blob that `descriptor` describes to `path`, where it appears whole and checked.
    ///
    /// # Errors
    /// Those of [`Registry::blob`], and a file that cannot be written.
    pub async fn blob_to(&self, descriptor: &Descriptor, path: &Path) -> Result<(), Error> {
        let unwritten = |source| Error::Write {
            path: path.to_owned(),
            source,
        };
        let directory = path.parent().unwrap_or(Path::new("."));
        let mut file = NamedTempFile::new_in(directory).map_err(unwritten)?;
        self.stream_blob(descriptor, limits::LAYER, |piece| {
            std::io::Write::write_all(&mut file, piece).map_err(unwritten)
        })
        .await?;
        file.persist(path).map_err(|e| unwritten(e.error))?;
        Ok(())
    }

    async fn stream_blob(
        &self,
        descriptor: &Descriptor,
        limit: u64,
        mut take: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let url = self.url(&format!("blobs/{}", descriptor.digest));
        if descriptor.size > limit {
            return Err(Error::Limit { url, limit });
        }
        let time = http::patience(descriptor.size);
        let shape = |request: RequestBuilder| request.timeout(time);
        let response = self.send(Access::Pull, Method::GET, &url, shape).await?;
        let Answer::Found(response) = http::sort(&url, response).await? else {
            return Err(Error::NotFound { url });
        };
        http::refuse_page(&url, descriptor, &response)?;
        check_announced(&url, descriptor, &response)?;
        let mut meter = Meter::new(&url);
        http::stream(&url, response, |piece| {
            meter.count(piece);
            meter.check_room(descriptor)?;
            take(piece)
        })
        .await?;
        meter.check(descriptor)
    }

    /// A manifest and its media type.
    async fn find_manifest(&self, target: &Target) -> Result<Option<(Vec<u8>, String)>, Error> {
        let url = self.manifest_url(target);
        let time = http::patience(limits::MANIFEST);
        let accept = |request: RequestBuilder| request.header(ACCEPT, MANIFESTS).timeout(time);
        let response = self.send(Access::Pull, Method::GET, &url, accept).await?;
        let Answer::Found(response) = http::sort(&url, response).await? else {
            return Ok(None);
        };
        http::expect_document(&url, A_MANIFEST, &response)?;
        let media_type = match http::content_type(&response) {
            none if none.is_empty() => media::MANIFEST.to_owned(),
            media_type => media_type,
        };
        let bytes = http::read(&url, response, limits::MANIFEST).await?;
        // What has the digest was stored under it, whatever it is.
        if *target != Target::Digest(Digest::of(&bytes)) {
            http::expect_object(&url, A_MANIFEST, &bytes)?;
        }
        Ok(Some((bytes, media_type)))
    }

    /// Stores a manifest under `target` and gives its digest. What it names must be there.
    ///
    /// # Errors
    /// [`Error::Target`] if `target` is another digest, or a registry that refuses.
    pub async fn push_manifest(
        &self,
        target: &Target,
        bytes: &[u8],
        media_type: &str,
    ) -> Result<Digest, Error> {
        let url = self.manifest_url(target);
        let digest = Digest::of(bytes);
        self.check_target(target, digest)?;
        let put = |request: RequestBuilder| {
            request
                .header(CONTENT_TYPE, media_type)
                .timeout(http::patience(bytes.len() as u64))
                .body(bytes.to_vec())
        };
        let response = self.send(Access::Push, Method::PUT, &url, put).await?;
        match http::sort(&url, response).await? {
            Answer::Found(_) => Ok(digest),
            Answer::Absent => Err(Error::NotFound { url }),
        }
    }

    /// A digest is pushed to by nothing else: found out before anything is sent.
    pub(crate) fn check_target(&self, target: &Target, actual: Digest) -> Result<(), Error> {
        match target {
            Target::Digest(expected) if *expected != actual => Err(Error::Target {
                repository: self.repository.clone(),
                expected: *expected,
                actual,
            }),
            _ => Ok(()),
        }
    }

    pub(crate) fn url(&self, rest: &str) -> String {
        format!("{}{}/{rest}", self.root, self.repository.path())
    }

    pub(crate) fn manifest_url(&self, target: &Target) -> String {
        self.url(&format!("manifests/{target}"))
    }

    pub(crate) fn image_error(&self, source: oci::Error) -> Error {
        Error::Image {
            repository: self.repository.clone(),
            source: Box::new(source),
        }
    }

    /// Sends a request; once more with a new token if the old one has expired.
    pub(crate) async fn send(
        &self,
        access: Access,
        method: Method,
        url: &str,
        shape: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Error> {
        let response = self.send_once(access, method.clone(), url, &shape).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        self.tokens.lock().await.remove(&access);
        self.send_once(access, method, url, &shape).await
    }

    async fn send_once(
        &self,
        access: Access,
        method: Method,
        url: &str,
        shape: &impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Error> {
        let request = shape(self.http.request(method, url));
        let request = self.authorize(access, request).await?;
        request.send().await.map_err(|e| http::broken(url, e))
    }

    async fn authorize(
        &self,
        access: Access,
        request: RequestBuilder,
    ) -> Result<RequestBuilder, Error> {
        Ok(match self.token(access).await? {
            Some(token) => request.bearer_auth(token),
            None => self.with_login(request),
        })
    }

    /// A token, if the registry wants one.
    pub(crate) async fn token(&self, access: Access) -> Result<Option<String>, Error> {
        let mut tokens = self.tokens.lock().await;
        if let Some(token) = tokens.get(&access) {
            return Ok(token.clone());
        }
        let token = self.new_token(access).await?;
        tokens.insert(access, token.clone());
        Ok(token)
    }
}

/// Spares the download when the registry says itself that it is another size.
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
