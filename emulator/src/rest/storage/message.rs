//! Requests of the JSON API.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::json::null_is_default;
use content::limits;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::multipart;
use crate::legacy_error::LegacyError;
use crate::protojson;
use crate::services::accounts::Service;
use crate::services::iam::Change;
use crate::services::storage::{Generation, Precondition, Upload};
use crate::services::{Context, Services};

/// The media type of an object that states none.
const BYTES: &str = "application/octet-stream";

/// A request by a known caller.
pub(super) struct Request {
    pub(super) context: Context,
    query: BTreeMap<String, String>,
}

/// The fields of a new bucket that matter; others are read and dropped, as objects have neither classes nor lifecycles.
#[derive(Deserialize)]
pub(super) struct Bucket {
    pub(super) name: String,
    pub(super) location: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) labels: BTreeMap<String, String>,
}

/// The metadata of a new object.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: Option<String>,
    content_type: Option<String>,
    crc32c: Option<String>,
}

/// Parses a body.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, LegacyError> {
    let parsed = content::json::parse(body, limits::HTTP_BODY);
    parsed.map_err(|error| LegacyError::bad_request(format!("Parse Error: {error}")))
}

/// A new policy, which is the whole body here.
pub(super) fn policy(body: &[u8]) -> Result<Change, LegacyError> {
    let mut policy: serde_json::Map<_, _> = parse(body)?;
    // Fields of answers.
    policy.remove("kind");
    policy.remove("resourceId");
    Ok(protojson::parse(
        json!({"policy": policy}).to_string().as_bytes(),
    )?)
}

impl Request {
    pub(super) fn new(
        services: &Services,
        headers: &HeaderMap,
        query: BTreeMap<String, String>,
    ) -> Result<Self, LegacyError> {
        let bearer = headers
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        let bearer = bearer.and_then(|value| value.strip_prefix("Bearer "));
        let context = services.context(bearer, Service::Storage)?;
        Ok(Self { context, query })
    }

    pub(super) fn parameter(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, LegacyError> {
        match self.parameter(name) {
            "" => Err(LegacyError::bad_request(format!(
                "Required parameter: {name}"
            ))),
            value => Ok(value),
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, LegacyError> {
        match self.parameter(name) {
            "" => Ok(None),
            text => match text.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(LegacyError::bad_request(format!(
                    "Invalid value for {name}: {text}"
                ))),
            },
        }
    }

    pub(super) fn generation(&self) -> Result<Generation, LegacyError> {
        let number = self.number("generation")?;
        Ok(number.map_or(Generation::Newest, Generation::Exactly))
    }

    fn precondition(&self) -> Result<Precondition, LegacyError> {
        Ok(match self.number("ifGenerationMatch")? {
            None => Precondition::None,
            Some(0) => Precondition::Absent,
            Some(number) => Precondition::Generation(number),
        })
    }

    /// An upload whose body is the content.
    pub(super) fn media(&self, headers: &HeaderMap, body: &[u8]) -> Result<Upload, LegacyError> {
        let kind = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        Ok(Upload {
            name: self.required("name")?.to_owned(),
            content_type: kind.unwrap_or(BYTES).to_owned(),
            content: body.to_vec(),
            crc32c: None,
            precondition: self.precondition()?,
        })
    }

    /// The beginning of an upload in several requests: metadata, which may be absent.
    pub(super) fn resumable(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Upload, LegacyError> {
        let metadata: Metadata = match body.is_empty() {
            true => Metadata::default(),
            false => parse(body)?,
        };
        let kind = headers
            .get("x-upload-content-type")
            .and_then(|value| value.to_str().ok());
        self.described(metadata, kind.unwrap_or(BYTES), Vec::new())
    }

    /// An upload whose body has two parts: metadata and content.
    pub(super) fn multipart(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Upload, LegacyError> {
        let kind = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let [first, second] = multipart::parts(kind.unwrap_or_default(), body)
            .ok_or_else(|| LegacyError::bad_request("Malformed multipart body."))?;
        let metadata: Metadata = parse(first.content)?;
        self.described(metadata, &second.kind(BYTES), second.content.to_vec())
    }

    fn described(
        &self,
        metadata: Metadata,
        kind: &str,
        content: Vec<u8>,
    ) -> Result<Upload, LegacyError> {
        let name = metadata
            .name
            .as_deref()
            .map_or_else(|| self.required("name"), Ok)?;
        Ok(Upload {
            name: name.to_owned(),
            content_type: metadata.content_type.unwrap_or_else(|| kind.to_owned()),
            content,
            crc32c: metadata.crc32c.as_deref().map(checksum).transpose()?,
            precondition: self.precondition()?,
        })
    }
}

/// The CRC32C in base64.
fn checksum(text: &str) -> Result<u32, LegacyError> {
    let bytes = STANDARD.decode(text).ok();
    let bytes = bytes.and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
    let sum = bytes.map(u32::from_be_bytes);
    sum.ok_or_else(|| LegacyError::bad_request(format!("Invalid crc32c: {text}")))
}
