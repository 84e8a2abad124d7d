use std::collections::BTreeMap;

use axum::http::HeaderMap;
use content::limits;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::status::Status;

/// One call of one of Google's interfaces.
#[derive(Clone, Debug)]
pub struct Call {
    /// `GET`, `POST`, `PUT`.
    pub method: String,
    /// What stands behind `/v1/`, without the verb.
    pub resource: String,
    /// What stands behind the colon.
    pub verb: String,
    /// The parameters; those that begin with `$` are for the transport and play no part.
    pub query: BTreeMap<String, String>,
    /// The body, `null` if there is none.
    pub body: Value,
    /// The bearer token.
    pub bearer: Option<String>,
}

impl Call {
    /// Reads a call of what stands behind `/v1/`, with no escapes left in it.
    ///
    /// # Errors
    /// A body that is no JSON.
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

    /// A parameter's value; empty if it is not given.
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    /// The body as a message.
    ///
    /// # Errors
    /// It is another one.
    pub(super) fn body_as<T: DeserializeOwned>(&self) -> Result<T, Status> {
        serde_json::from_value(self.body.clone()).map_err(|e| Status::invalid(e.to_string()))
    }

    /// The body as a message; no body is an empty one.
    ///
    /// # Errors
    /// It is another one.
    pub(super) fn body_or_empty<T: DeserializeOwned>(&self) -> Result<T, Status> {
        match self.body.is_null() {
            true => serde_json::from_value(json!({})),
            false => serde_json::from_value(self.body.clone()),
        }
        .map_err(|error| Status::invalid(error.to_string()))
    }
}
