//! Requests in the JSON mapping of Protocol Buffers ("ProtoJSON"), as Google's REST APIs read them: a message
//! is an object, `null` is an absent field, and a field has its name in camel case or as in the `.proto`
//! file. Unknown names are errors.
//!
//! A message is a struct with `#[serde(rename_all = "camelCase", deny_unknown_fields)]`, and with an alias
//! for each field whose name has several words.

mod fault;
mod scalar;

use content::json::{self, JsonError};
use content::limits;
use serde::de::DeserializeOwned;

use self::fault::{Located, malformed};
pub use self::scalar::{Bytes, Enumeration, Ignored, Integer, NotEmulated, bytes, integer};
use crate::status::Status;

/// A message whose fields are not read.
pub type Object = serde_json::Map<String, serde_json::Value>;

/// Parses the body of a request as a message; no bytes are an empty message.
///
/// # Errors
/// 400: the body is not such a message. The error has Google's words. 501: the body sets a field that is
/// not emulated.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Status> {
    let body = match body.is_empty() {
        true => b"{}".as_slice(),
        false => body,
    };
    match json::parse(body, limits::HTTP_BODY) {
        Ok(Located(Ok(message))) => Ok(message),
        Ok(Located(Err(fault))) => Err(fault.status()),
        Err(JsonError::Parse(error)) => Err(malformed("", &error.to_string())),
        Err(error) => Err(malformed("", &error.to_string())),
    }
}

#[cfg(test)]
mod tests;
