use std::collections::BTreeMap;
use std::str::FromStr;

use axum::http::HeaderMap;
use content::limits;
use google::InvalidName;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::status::Status;

/// Parses the name of a resource in the path of a call. Google knows no method for a path of another form.
///
/// # Errors
/// The name has another form.
pub(super) fn name<T: FromStr<Err = InvalidName>>(text: &str) -> Result<T, Status> {
    text.parse()
        .map_err(|error: InvalidName| Status::not_found(format!("Invalid resource name: {error}.")))
}

/// One call of a Google API.
#[derive(Clone, Debug)]
pub struct Call {
    /// The HTTP method.
    pub method: String,
    /// The path after `/v1/`, without the verb.
    pub resource: String,
    /// The verb: the part of the path after the colon; may be empty.
    pub verb: String,
    /// The query parameters; those that begin with `$` concern the transport and are ignored.
    pub query: BTreeMap<String, String>,
    /// The body; `null` if it is empty.
    pub body: Value,
    /// The bearer token.
    pub bearer: Option<String>,
}

impl Call {
    /// Parses a call. `path` is the path after `/v1/`, with percent-encoding resolved.
    ///
    /// # Errors
    /// The body is not JSON.
    pub fn read(
        method: &str,
        path: &str,
        query: BTreeMap<String, String>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Self, Status> {
        let (resource, verb) = match path.rsplit_once('/') {
            Some((_, last)) if last.contains(':') => path.rsplit_once(':').unwrap_or((path, "")),
            _ => (path, ""),
        };
        let body = match body.is_empty() {
            true => Value::Null,
            false => content::json::parse(body, limits::HTTP_BODY)
                .map_err(|error| Status::invalid(error.to_string()))?,
        };
        let bearer = headers
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        let bearer = bearer
            .and_then(|value| value.strip_prefix("Bearer "))
            .map(str::to_owned);
        let (method, resource, verb) = (method.to_owned(), resource.to_owned(), verb.to_owned());
        Ok(Self {
            method,
            resource,
            verb,
            query,
            body,
            bearer,
        })
    }

    pub(super) fn unknown(&self) -> Status {
        let Self {
            method,
            resource,
            verb,
            ..
        } = self;
        Status::not_found(format!("Method not found: {method} {resource}:{verb}"))
    }

    /// The value of a parameter; empty if it is absent.
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    /// Parses the body as a message.
    ///
    /// # Errors
    /// The body is not such a message.
    pub(super) fn body_as<T: DeserializeOwned>(&self) -> Result<T, Status> {
        serde_json::from_value(self.body.clone()).map_err(|e| Status::invalid(e.to_string()))
    }

    /// Parses the body as a message; an absent body is an empty message.
    ///
    /// # Errors
    /// The body is not such a message.
    pub(super) fn body_or_empty<T: DeserializeOwned>(&self) -> Result<T, Status> {
        match self.body.is_null() {
            true => serde_json::from_value(json!({})),
            false => serde_json::from_value(self.body.clone()),
        }
        .map_err(|error| Status::invalid(error.to_string()))
    }
}
