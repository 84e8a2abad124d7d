//! The metadata of an instance.

use std::collections::BTreeMap;

use content::json::null_is_default;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error;
use crate::legacy_error::LegacyError;

/// The largest size of a value of metadata and of all, in bytes ("Set custom metadata").
const METADATA_VALUE: usize = 256 << 10;
const METADATA: usize = 512 << 10;
/// The metadata of an instance.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
pub(super) struct Metadata {
    #[serde(deserialize_with = "null_is_default")]
    pub(super) items: Vec<Item>,
    /// What a change names as known.
    pub(super) fingerprint: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub(super) struct Item {
    #[serde(deserialize_with = "null_is_default")]
    key: String,
    #[serde(deserialize_with = "null_is_default")]
    value: String,
}

impl Metadata {
    /// The values by key.
    ///
    /// # Errors
    /// A key is invalid or there twice, or the values are too large.
    pub(super) fn items(&self) -> Result<BTreeMap<String, String>, LegacyError> {
        let field = "resource.metadata.items";
        let mut found = BTreeMap::new();
        let mut size = 0;
        for Item { key, value } in &self.items {
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
            if key.is_empty() || key.len() > 128 || !key.bytes().all(is_plain) {
                let why = "Metadata keys must match regex '[a-zA-Z0-9-_]{1,128}'.";
                return Err(error::invalid(field, key, why));
            }
            size += key.len() + value.len();
            if value.len() > METADATA_VALUE || size > METADATA {
                return Err(error::invalid(field, key, "Value is too large."));
            }
            if found.insert(key.clone(), value.clone()).is_some() {
                return Err(error::invalid(field, key, "Duplicate metadata key."));
            }
        }
        Ok(found)
    }

    /// The field of an instance that shows them.
    pub(super) fn shown(&self) -> Value {
        json!({"items": self.items})
    }
}
