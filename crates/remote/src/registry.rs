use std::collections::HashMap;
use std::path::Path;

use content::{Digest, limits};
use oci::{Descriptor, Image, Manifest, Repository, Tag, Target, media};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use tempfile::NamedTempFile;
use tokio::sync::Mutex;

use crate::access::{Access, Authorization};
use crate::credentials;
use crate::http::{self, Answer, Meter};
use crate::login::Login;
use crate::retry::retry;
use crate::transport::{Endpoint, Endpoints};
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
    endpoints: Endpoints,
    pub(crate) login: Login,
    /// What was found out about who is let in.
    pub(crate) known: Mutex<HashMap<Access, Authorization>>,
}

impl Registry {
    /// Prepares to speak to the registry of `repository`, with the credentials of the Docker
    /// credential store. Nothing is sent yet.
    ///
    /// # Errors
    /// A credential store or certificates that cannot be read.
    pub fn connect(repository: &Repository, transport: &Transport) -> Result<Self, Error> {
        let host = api_host(repository.registry());
        let login = credentials::find(host).map_err(|fault| Error::Credentials {
            registry: repository.registry().to_owned(),
            fault: fault.into(),
        })?;
        Ok(Self {
            repository: repository.clone(),
            endpoints: Endpoints::new(transport, host)?,
            login,
            known: Mutex::default(),
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
        let found = self.find_manifest(&target).await?;
        let url = self.manifest_url(&target).await?;
        let Some((bytes, _)) = found else {
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
        let time = http::patience(descriptor.size);
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

    /// Writes the blob that `descriptor` describes to `path`, where it appears whole and checked.
    ///
    /// # Errors
    /// Those of [`Registry::blob`], and a file that cannot be written.
    pub async fn blob_to(&self, descriptor: &Descriptor, path: &Path) -> Result<(), Error> {
        let time = http::patience(descriptor.size);
        retry(time, || self.blob_to_once(descriptor, path)).await
    }

    async fn blob_to_once(&self, descriptor: &Descriptor, path: &Path) -> Result<(), Error> {
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
        let url = self.url(&format!("blobs/{}", descriptor.digest)).await?;
        if descriptor.size > limit {
            return Err(Error::Limit { url, limit });
        }
        let time = http::patience(descriptor.size);
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
            meter.check_room(descriptor)?;
            take(piece)
        })
        .await?;
        meter.check(descriptor)
    }

    /// A manifest and its media type.
    async fn find_manifest(&self, target: &Target) -> Result<Option<(Vec<u8>, String)>, Error> {
        let time = http::patience(limits::MANIFEST);
        retry(time, || self.find_manifest_once(target)).await
    }

    async fn find_manifest_once(
        &self,
        target: &Target,
    ) -> Result<Option<(Vec<u8>, String)>, Error> {
        let url = self.manifest_url(target).await?;
        let time = http::patience(limits::MANIFEST);
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
        let digest = Digest::of(bytes);
        self.check_target(target, digest)?;
        let time = http::patience(bytes.len() as u64);
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
                .timeout(http::patience(bytes.len() as u64))
                .body(bytes.to_vec())
        };
        let response = self.send(Access::Push, Method::PUT, &url, put).await?;
        match self.sort(&url, response).await? {
            Answer::Found(_) => Ok(()),
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

    /// # Errors
    /// There is no way to the registry.
    pub(crate) async fn endpoint(&self) -> Result<&Endpoint, Error> {
        self.endpoints.choose().await
    }

    /// # Errors
    /// There is no way to the registry.
    pub(crate) async fn url(&self, rest: &str) -> Result<String, Error> {
        let root = &self.endpoint().await?.root;
        Ok(format!("{root}{}/{rest}", self.repository.path()))
    }

    /// # Errors
    /// There is no way to the registry.
    pub(crate) async fn manifest_url(&self, target: &Target) -> Result<String, Error> {
        self.url(&format!("manifests/{target}")).await
    }

    pub(crate) fn image_error(&self, source: oci::Error) -> Error {
        Error::Image {
            repository: self.repository.clone(),
            source: Box::new(source),
        }
    }

    /// Sends a request; once more if what was sent with it does not let us in, and something else
    /// may.
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

/// The name behind which a registry answers: for Docker Hub, another one.
fn api_host(registry: &str) -> &str {
    match registry {
        "docker.io" => "index.docker.io",
        registry => registry,
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
