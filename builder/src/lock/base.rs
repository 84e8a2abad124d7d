//! The base image as a lock names it.

use content::limits;
use serde::{Deserialize, Serialize};

use super::index::IndexFile;

/// A document or layer of the base image, of at most `LIMIT` bytes.
pub type Blob<const LIMIT: u64> = IndexFile<LIMIT>;

/// A base image.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LockedBase {
    /// The index with the image for each platform, if `Image.toml` names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<Blob<{ limits::MANIFEST }>>,
    /// The image's manifest.
    pub manifest: Blob<{ limits::MANIFEST }>,
    /// Its configuration.
    pub config: Blob<{ limits::CONFIG }>,
    /// Its layers, lowest first.
    #[serde(rename = "layer")]
    pub layers: Vec<Blob<{ limits::LAYER }>>,
}
