//! Calls of Google APIs, as they come by HTTP.

use std::collections::BTreeMap;
use std::str::FromStr;

use axum::http::{HeaderMap, HeaderValue};
use google::InvalidName;
use serde::de::DeserializeOwned;

use crate::protojson;
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
    /// The version of the API, such as `v1`.
    pub version: String,
    /// The path after `/v1/`, without the verb.
    pub resource: String,
    /// The verb: the part of the path after the colon; may be empty.
    pub verb: String,
    /// The query parameters; those that begin with `$` concern the transport and are ignored.
    pub query: BTreeMap<String, String>,
    /// The body, which may be empty.
    pub body: Vec<u8>,
    /// The bearer token; empty, which no service accepts, if there are credentials of another form.
    pub bearer: Option<String>,
}

impl Call {
    /// Reads a call. `path` is the path after the version, with percent-encoding resolved.
    pub fn read(
        method: &str,
        (version, path): (&str, &str),
        query: BTreeMap<String, String>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Self {
        let (resource, verb) = match path.rsplit_once('/') {
            Some((_, last)) if last.contains(':') => path.rsplit_once(':').unwrap_or((path, "")),
            _ => (path, ""),
        };
        let token = |value: &HeaderValue| {
            let token = value
                .to_str()
                .ok()
                .and_then(|value| value.strip_prefix("Bearer "));
            token.unwrap_or_default().to_owned()
        };
        let bearer = headers.get("authorization").map(token);
        let (method, resource, verb) = (method.to_owned(), resource.to_owned(), verb.to_owned());
        Self {
            method,
            version: version.to_owned(),
            resource,
            verb,
            query,
            body: body.to_vec(),
            bearer,
        }
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

    /// The value of a parameter; empty if it is absent. Like fields of messages, parameters have their
    /// names in camel case or as in the `.proto` file.
    pub(super) fn parameter(&self, name: &str) -> &str {
        let value = self.query.get(name);
        let value = value.or_else(|| self.query.get(&in_proto(name)));
        value.map_or("", String::as_str)
    }

    /// Whether a parameter is `true`, which gcloud writes `True`.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.parameter(name).eq_ignore_ascii_case("true")
    }

    /// Parses the body as a message; an empty body is an empty message.
    ///
    /// # Errors
    /// The body is not such a message.
    pub(super) fn message<T: DeserializeOwned>(&self) -> Result<T, Status> {
        protojson::parse(&self.body)
    }
}

/// The name in a `.proto` file of a name in camel case.
fn in_proto(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_have_names_in_two_forms() {
        for name in [
            "options.requestedPolicyVersion",
            "options.requested_policy_version",
        ] {
            let query = BTreeMap::from([(name.to_owned(), "3".to_owned())]);
            let call = Call::read("GET", ("v1", "a/b"), query, &HeaderMap::new(), b"");
            assert_eq!(
                call.parameter("options.requestedPolicyVersion"),
                "3",
                "{name}"
            );
        }
    }
}
