use std::collections::BTreeMap;

use content::Digest;
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::media;

/// What a document says about content elsewhere (OCI image specification, descriptor.md). Members
/// that are not kept here (`urls`, `data`, `platform`) play no part in any decision.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The content's media type.
    #[serde(deserialize_with = "media_type")]
    pub media_type: String,
    /// The content's digest.
    pub digest: Digest,
    /// The content's size in bytes.
    #[serde(deserialize_with = "size")]
    pub size: u64,
    /// Free text about the content, never checked by anyone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// What the content is when its media type says only how it is packed.
    #[serde(
        default,
        deserialize_with = "optional_media_type",
        skip_serializing_if = "Option::is_none"
    )]
    pub artifact_type: Option<String>,
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
        }
    }

    /// Describes the two bytes `{}`, which stand for "no configuration".
    pub fn empty() -> Self {
        Self::of(media::EMPTY, b"{}")
    }
}

/// Sizes are signed 64-bit integers on the wire (descriptor.md).
fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let size = i64::deserialize(deserializer)?;
    u64::try_from(size).map_err(|_| de::Error::custom("a size below zero"))
}

pub(crate) fn media_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if !media::is_media_type(&text) {
        return Err(de::Error::custom(format_args!("{text:?} is no media type")));
    }
    Ok(text)
}

/// Some writers spell "no artifact type" as an empty string.
pub(crate) fn optional_media_type<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        Some(text) if text.is_empty() => Ok(None),
        Some(text) if !media::is_media_type(&text) => {
            Err(de::Error::custom(format_args!("{text:?} is no media type")))
        }
        text => Ok(text),
    }
}
