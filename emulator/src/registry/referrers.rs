//! The list of a manifest's referrers.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use content::{json, limits};
use oci::media;
use serde::{Deserialize, Serialize};

use super::RegistryError;
use super::digest::{Algorithm, ContentDigest};
use super::resource::{Name, Query};
use super::store::{self, Kind, Store};

/// The largest number of descriptors in one answer; small enough that clients are tested with pages.
const PAGE: usize = 100;

/// The descriptor of a manifest in a list of referrers.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// The media type of the manifest.
    pub media_type: String,
    /// The digest of the manifest.
    pub digest: ContentDigest,
    /// The size of the manifest, in bytes.
    pub size: u64,
    /// The artifact type of the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    /// The annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
}

/// Records that a manifest refers to a subject.
pub fn add(
    store: &Store,
    name: &Name,
    subject: &ContentDigest,
    referrer: &ContentDigest,
    listed: &Listed,
) -> Result<(), RegistryError> {
    let file = format!("{}-{}", referrer.algorithm().name(), referrer.hex());
    let bytes = json::canonical(listed).map_err(RegistryError::manifest_json)?;
    let path = store.referrers(name, subject).join(file);
    Ok(store::write(&path, &bytes)?)
}

/// GET: the manifests that refer to `subject`, as an image index, which may be empty.
pub fn list(
    store: &Store,
    name: &Name,
    subject: &ContentDigest,
    query: &Query,
) -> Result<Response, RegistryError> {
    let wanted = query.get("artifactType");
    let after = query.get("last").map(String::as_str).unwrap_or_default();
    let mut page = Page::default();
    for file in store::names(&store.referrers(name, subject))? {
        if file.as_str() <= after {
            continue;
        }
        let Some(descriptor) = descriptor(store, name, subject, &file, wanted)? else {
            continue;
        };
        if !page.add(&file, descriptor) {
            break;
        }
    }
    let path = format!("/v2/{}/referrers/{subject}", name.as_str());
    Ok((page.headers(&path, wanted), page.body()).into_response())
}

/// The descriptor of one referrer as JSON, if it exists and has the wanted artifact type.
fn descriptor(
    store: &Store,
    name: &Name,
    subject: &ContentDigest,
    file: &str,
    wanted: Option<&String>,
) -> Result<Option<String>, RegistryError> {
    let is_there = digest_of(file).is_some_and(|digest| store.has(name, Kind::Manifest, &digest));
    let path = store.referrers(name, subject).join(file);
    let Some(bytes) = store::read(&path, limits::MANIFEST)?.filter(|_| is_there) else {
        return Ok(None);
    };
    let listed: Listed =
        json::parse(&bytes, limits::MANIFEST).map_err(RegistryError::manifest_json)?;
    if wanted.is_some() && wanted != listed.artifact_type.as_ref() {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn digest_of(file: &str) -> Option<ContentDigest> {
    let (algorithm, hex) = file.split_once('-')?;
    match algorithm {
        "sha256" => store::digest_of_name(Algorithm::Sha256, hex),
        "sha512" => store::digest_of_name(Algorithm::Sha512, hex),
        _ => None,
    }
}

/// The descriptors of one answer.
#[derive(Default)]
struct Page {
    descriptors: Vec<String>,
    size: u64,
    last: String,
    is_full: bool,
}

impl Page {
    /// Adds a descriptor and returns whether it fit: an answer must not be larger than a manifest.
    fn add(&mut self, file: &str, descriptor: String) -> bool {
        let size = self.size + descriptor.len() as u64 + 1;
        let fits = self.descriptors.len() < PAGE && size < limits::MANIFEST - 1024;
        if !fits && !self.descriptors.is_empty() {
            self.is_full = true;
            return false;
        }
        self.size = size;
        self.last = file.to_owned();
        self.descriptors.push(descriptor);
        true
    }

    fn headers(&self, path: &str, wanted: Option<&String>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut set = |name, text: &str| {
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(name, value);
            }
        };
        set(header::CONTENT_TYPE, media::INDEX);
        if wanted.is_some() {
            set(
                HeaderName::from_static("oci-filters-applied"),
                "artifactType",
            );
        }
        if self.is_full {
            let filter = wanted.map(|text| format!("&artifactType={}", in_query(text)));
            let query = format!("last={}{}", self.last, filter.unwrap_or_default());
            set(header::LINK, &format!("<{path}?{query}>; rel=\"next\""));
        }
        headers
    }

    fn body(&self) -> String {
        let (index, descriptors) = (media::INDEX, self.descriptors.join(","));
        format!(r#"{{"manifests":[{descriptors}],"mediaType":"{index}","schemaVersion":2}}"#)
    }
}

/// Percent-encodes a value of a query (RFC 3986 section 2.1).
fn in_query(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
