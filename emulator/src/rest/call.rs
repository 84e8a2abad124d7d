use std::collections::BTreeMap;

use axum::http::HeaderMap;
use content::limits;
use serde_json::Value;

use crate::status::Status;

/// Characters of the ID of a key ring or key (Cloud KMS, `keyRings.create`).
const ID: usize = 63;

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

    pub(super) fn id(&self, name: &str) -> Result<&str, Status> {
        let id = self.query.get(name).map(String::as_str).filter(|id| {
            (1..=ID).contains(&id.len())
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        });
        id.ok_or_else(|| Status::invalid(format!("Invalid value for {name}.")))
    }
}
