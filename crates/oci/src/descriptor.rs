use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::{Digest, json, limits};
use fluent_uri::Uri;
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{Document, Error, Verify, media};

/// A descriptor of content (OCI image specification, descriptor.md).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(
    rename_all = "camelCase",
    try_from = "Wire<D>",
    bound(deserialize = "D: Verify")
)]
pub struct Descriptor<D = Digest> {
    /// The content's media type.
    pub media_type: String,
    /// The content's digest.
    pub digest: D,
    /// The content's size in bytes.
    pub size: u64,
    /// Annotations of the content. They are not verified.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The type of an artifact, if the media type is that of a manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Other URLs of the content. They are never requested.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// The content itself, in base64. It has the descriptor's digest and is never used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// The platform of an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
}

/// The platform of an image (image-index.md, property `platform`).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Platform {
    /// The processor architecture, as Go's `GOARCH`.
    pub architecture: String,
    /// The operating system, as Go's `GOOS`.
    pub os: String,
    /// The operating system's version.
    #[serde(rename = "os.version", skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// The features that the image needs of the operating system.
    #[serde(rename = "os.features", default, skip_serializing_if = "Vec::is_empty")]
    pub os_features: Vec<String>,
    /// The variant of the processor architecture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// A descriptor before it is checked.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "D: Verify"))]
struct Wire<D> {
    #[serde(deserialize_with = "media_type")]
    media_type: String,
    digest: D,
    #[serde(deserialize_with = "size")]
    size: u64,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "optional_media_type")]
    artifact_type: Option<String>,
    #[serde(default)]
    urls: Vec<String>,
    data: Option<String>,
    platform: Option<Platform>,
}

impl<D: Verify> TryFrom<Wire<D>> for Descriptor<D> {
    /// The rule of the specification that the descriptor violates.
    type Error = String;

    fn try_from(wire: Wire<D>) -> Result<Self, String> {
        let is_uri = |url: &&String| Uri::parse(url.as_str()).is_ok();
        if let Some(url) = wire.urls.iter().find(|url| !is_uri(url)) {
            let shown: String = url.chars().take(200).collect();
            return Err(format!("{shown:?} is not a URI"));
        }
        if let Some(data) = &wire.data {
            let data = STANDARD.decode(data).map_err(|_| "data is not base64")?;
            if data.len() as u64 != wire.size || wire.digest.is_of(&data) == Some(false) {
                return Err("data differs from digest and size".to_owned());
            }
        }
        Ok(Self {
            media_type: wire.media_type,
            digest: wire.digest,
            size: wire.size,
            annotations: wire.annotations,
            artifact_type: wire.artifact_type,
            urls: wire.urls,
            data: wire.data,
            platform: wire.platform,
        })
    }
}

impl<D: Verify> Descriptor<D> {
    /// Parses a descriptor outside another document.
    ///
    /// # Errors
    /// The bytes are larger than [`limits::MANIFEST`], not strict JSON, or not a descriptor.
    pub fn parse_any(bytes: &[u8]) -> Result<Self, Error> {
        json::parse(bytes, limits::MANIFEST)
            .map_err(|fault| Error::document(Document::Descriptor, fault))
    }
}

impl Descriptor {
    /// Describes `bytes`.
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::of(bytes), bytes.len() as u64)
    }

    /// Describes `size` bytes with this digest.
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest,
            size,
            annotations: BTreeMap::new(),
            artifact_type: None,
            urls: Vec::new(),
            data: None,
            platform: None,
        }
    }

    /// Describes the two bytes `{}`, which mean "no configuration" (manifest.md, empty descriptor).
    pub fn empty() -> Self {
        Self::of(media::EMPTY, b"{}")
    }
}

/// Sizes are signed 64-bit integers on the wire (descriptor.md).
fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let size = i64::deserialize(deserializer)?;
    u64::try_from(size).map_err(|_| de::Error::custom("negative size"))
}

pub(crate) fn media_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if !media::is_media_type(&text) {
        return Err(not_media_type(&text));
    }
    Ok(text)
}

fn not_media_type<E: de::Error>(text: &str) -> E {
    E::custom(format_args!("{text:?} is not a media type"))
}

/// Some writers write an absent artifact type as an empty string.
pub(crate) fn optional_media_type<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        Some(text) if text.is_empty() => Ok(None),
        Some(text) if !media::is_media_type(&text) => Err(not_media_type(&text)),
        text => Ok(text),
    }
}
