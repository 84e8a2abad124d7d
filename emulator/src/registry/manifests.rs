//! Manifests: GET, HEAD, PUT and DELETE.

use std::collections::BTreeMap;
use std::fmt::Display;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use content::json::JsonError;
use content::{json, limits};
use oci::media;
use serde::Deserialize;
use serde_json::Value;

use super::RegistryError;
use super::digest::{Algorithm, ContentDigest};
use super::referrers::{self, Listed};
use super::resource::{Name, Target};
use super::send::{Sent, send};
use super::store::{self, Kind, Removed, Store};
use super::tags;

/// The media type of Docker's image manifest, which older clients push.
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// The media type of Docker's image index.
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Parts of the media types of layers that are not distributed.
const NOT_DISTRIBUTABLE: &[&str] = &[".nondistributable.", ".foreign."];
/// The largest size of the file that holds the media type of a manifest, in bytes.
const NOTE: u64 = 1024;

/// A descriptor in a manifest, with any kind of digest.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Linked {
    media_type: String,
    /// The digest of the content.
    pub digest: ContentDigest,
}

/// The fields that a registry reads in any kind of manifest. It ignores other fields, and stores the
/// bytes unchanged.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    schema_version: u64,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<Linked>,
    #[serde(default, deserialize_with = "json::null_is_default")]
    layers: Vec<Linked>,
    #[serde(default, deserialize_with = "json::null_is_default")]
    manifests: Vec<Linked>,
    /// The manifest that this manifest refers to.
    pub subject: Option<Linked>,
    #[serde(default, deserialize_with = "json::null_is_default")]
    annotations: BTreeMap<String, String>,
}

/// GET and HEAD: a manifest by tag or digest.
pub async fn read(
    store: &Store,
    (name, target): (&Name, &Target),
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, RegistryError> {
    let unknown = || unknown(target);
    let digest = match target {
        Target::Digest(digest) => digest.clone(),
        Target::Tag(tag) => tags::resolve(store, name, tag)?.ok_or_else(unknown)?,
    };
    let note = store::read(&store.link(name, Kind::Manifest, &digest), NOTE)?;
    let media_type = String::from_utf8_lossy(&note.ok_or_else(unknown)?).into_owned();
    let sent = Sent {
        path: &store.content(&digest),
        media_type: &media_type,
        digest: &digest,
    };
    // Manifests are always sent as a whole: a range in the request is ignored.
    let mut headers = headers.clone();
    headers.remove(header::RANGE);
    send(&sent, method, &headers).await?.ok_or_else(unknown)
}

/// PUT: stores a manifest whose content is present, and points the tag to it.
pub async fn write(
    store: &Store,
    (name, target): (&Name, &Target),
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, RegistryError> {
    let bytes = receive(body).await?;
    let digest = check_digest(target, &bytes)?;
    let document = Document::parse(&bytes).map_err(RegistryError::manifest_json)?;
    let media_type = document.check_media_type(headers)?;
    document.check_content(store, name)?;
    store::write(&store.content(&digest), &bytes)?;
    store.add_link(name, Kind::Manifest, &digest, media_type.as_bytes())?;
    if let Some(subject) = &document.subject {
        let listed = document.listed(&media_type, &digest, bytes.len());
        referrers::add(store, name, &subject.digest, &digest, &listed)?;
    }
    if let Target::Tag(tag) = target {
        tags::point(store, name, tag, &digest)?;
    }
    Ok(created(name, &digest, document.subject.as_ref()))
}

/// DELETE: removes a tag, or a manifest and all tags that point to it.
pub fn delete(store: &Store, name: &Name, target: &Target) -> Result<Response, RegistryError> {
    let removed = match target {
        Target::Tag(tag) => store::remove(&store.tag(name, tag))?,
        Target::Digest(digest) => {
            tags::remove_all(store, name, digest)?;
            store::remove(&store.link(name, Kind::Manifest, digest))?
        }
    };
    match removed {
        Removed::Yes => Ok(StatusCode::ACCEPTED.into_response()),
        Removed::WasNotThere => Err(unknown(target)),
    }
}

async fn receive(body: Body) -> Result<Vec<u8>, RegistryError> {
    let limit = limits::MANIFEST;
    let body = Body::new(http_body_util::Limited::new(body, limit as usize));
    match to_bytes(body, usize::MAX).await {
        Ok(bytes) => Ok(bytes.into()),
        Err(e) if is_limit(&e) => Err(RegistryError::too_large(limit)),
        Err(e) => Err(RegistryError::body(&e)),
    }
}

fn is_limit(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        next = error.source();
    }
    false
}

fn check_digest(target: &Target, bytes: &[u8]) -> Result<ContentDigest, RegistryError> {
    let Target::Digest(expected) = target else {
        return Ok(Algorithm::Sha256.of(bytes));
    };
    let actual = expected.algorithm().of(bytes);
    if actual != *expected {
        return Err(RegistryError::digest_differs(expected, &actual));
    }
    Ok(actual)
}

impl Document {
    /// Reads through a free value, without the rules for documents that are acted on: registries keep
    /// what clients push, and the clients that pull it judge it.
    fn parse(bytes: &[u8]) -> Result<Self, JsonError> {
        let value: Value = json::parse(bytes, limits::MANIFEST)?;
        serde_json::from_value(value).map_err(JsonError::Parse)
    }

    /// The media type, which must be the same in request and document.
    fn check_media_type(&self, headers: &HeaderMap) -> Result<String, RegistryError> {
        if self.schema_version != 2 {
            return Err(RegistryError::manifest(format!(
                "parsing manifest: expected schema version 2, found {}",
                self.schema_version
            )));
        }
        let announced = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let announced = announced.map(|text| text.split(';').next().unwrap_or(text).trim());
        let refuse = |text: &str| {
            RegistryError::manifest(format!("checking manifest: unexpected media type {text:?}"))
        };
        let media_type = match (announced, self.media_type.as_deref()) {
            (Some(announced), Some(own)) if announced != own => return Err(refuse(announced)),
            (Some(media_type), _) | (None, Some(media_type)) => media_type,
            (None, None) => return Err(refuse("")),
        };
        let known = [media::MANIFEST, media::INDEX, DOCKER_MANIFEST, DOCKER_LIST];
        if !known.contains(&media_type) {
            return Err(refuse(media_type));
        }
        Ok(media_type.to_owned())
    }

    /// Checks that the repository has all content that the manifest names, except for layers that must
    /// not be distributed and the subject, which may be pushed later.
    fn check_content(&self, store: &Store, name: &Name) -> Result<(), RegistryError> {
        let unknown = |linked: &Linked| {
            let code = "MANIFEST_BLOB_UNKNOWN";
            RegistryError::unknown(code, "checking manifest", &linked.digest)
        };
        let is_missing = |kind, linked: &Linked| !store.has(name, kind, &linked.digest);
        let distributed = |linked: &&Linked| {
            !NOT_DISTRIBUTABLE
                .iter()
                .any(|part| linked.media_type.contains(part))
        };
        let mut blobs = self.config.iter().chain(&self.layers).filter(distributed);
        if let Some(missing) = blobs.find(|linked| is_missing(Kind::Blob, linked)) {
            return Err(unknown(missing));
        }
        let mut manifests = self.manifests.iter();
        match manifests.find(|linked| is_missing(Kind::Manifest, linked)) {
            Some(missing) => Err(unknown(missing)),
            None => Ok(()),
        }
    }

    /// The descriptor in lists of referrers. The artifact type is that of the manifest or, if it has none,
    /// the media type of its configuration (OCI distribution specification, "Listing referrers").
    fn listed(&self, media_type: &str, digest: &ContentDigest, size: usize) -> Listed {
        let own = self.artifact_type.clone().filter(|text| !text.is_empty());
        let config = self.config.as_ref().map(|config| config.media_type.clone());
        Listed {
            media_type: media_type.to_owned(),
            digest: digest.clone(),
            size: size as u64,
            artifact_type: own.or(config),
            annotations: self.annotations.clone(),
        }
    }
}

fn created(name: &Name, digest: &ContentDigest, subject: Option<&Linked>) -> Response {
    let location = format!("/v2/{}/manifests/{digest}", name.as_str());
    let digest = [("Docker-Content-Digest", digest.to_string())];
    let location = [(header::LOCATION, location)];
    let subject = subject.map(|subject| [("OCI-Subject", subject.digest.to_string())]);
    match subject {
        Some(subject) => (StatusCode::CREATED, location, digest, subject).into_response(),
        None => (StatusCode::CREATED, location, digest).into_response(),
    }
}

fn unknown(target: &Target) -> RegistryError {
    let target: &dyn Display = match target {
        Target::Tag(tag) => tag,
        Target::Digest(digest) => digest,
    };
    RegistryError::unknown("MANIFEST_UNKNOWN", "finding manifest", target)
}
