//! What is received.

use content::limits;
use serde::de::DeserializeOwned;
use ureq::http::HeaderMap;
use ureq::http::response::Parts;

use super::redact::Redactor;
use crate::error::{Error, Fault};
use crate::secret::Secret;

/// An answer with any status. Many answers contain a token or data, so the body is a secret.
pub struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Secret,
    redactor: Redactor,
}

impl Answer {
    pub(super) fn new(parts: Parts, body: Vec<u8>, redactor: Redactor) -> Self {
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: Secret::new(body),
            redactor,
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The values of a header that are text.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.headers.get_all(name).into_iter();
        values.filter_map(|value| value.to_str().ok())
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// The body of the answer.
    pub fn body(&self) -> &Secret {
        &self.body
    }

    /// The body of the answer.
    pub fn into_body(self) -> Secret {
        self.body
    }

    pub(super) fn is_unavailable(&self) -> bool {
        matches!(self.status, 429 | 500 | 502 | 503 | 504)
    }

    /// Parses the body as JSON.
    ///
    /// # Errors
    /// The status is not 200, or the body is not valid JSON for `T`. The error does not quote the body:
    /// it may contain a token or data.
    pub fn json<T: DeserializeOwned>(self, doing: &str) -> Result<T, Error> {
        let answer = self.ok(doing)?;
        let parsed = answer.parse();
        parsed.ok_or_else(|| Error::incomplete(doing, "form"))
    }

    fn parse<T: DeserializeOwned>(&self) -> Option<T> {
        content::json::parse(self.body.bytes(), limits::HTTP_BODY).ok()
    }

    /// Returns this answer if its status is 200.
    ///
    /// # Errors
    /// The status is not 200.
    pub fn ok(self, doing: &str) -> Result<Self, Error> {
        match self.status {
            200 => Ok(self),
            _ => Err(self.error(doing)),
        }
    }

    /// The error that this answer is.
    pub fn error(&self, doing: &str) -> Error {
        let (status, message) = (self.status, self.message());
        Error::answer(doing, Fault::Status { status, message })
    }

    /// The name of the error code (`google.rpc.Code`); empty if the answer has none.
    pub fn code(&self) -> String {
        let google = self.parse::<GoogleError>();
        google.map_or_else(String::new, |google| google.error.status)
    }

    /// The message of an error answer, in one line, shortened and without any part of the request.
    pub fn message(&self) -> String {
        match self.parse() {
            Some(GoogleError { error }) => {
                let code = self.redactor.redact_code(&error.status);
                format!("{code}: {}", self.redactor.redact(&error.message))
            }
            None => self
                .redactor
                .redact(&String::from_utf8_lossy(self.body.bytes())),
        }
    }

    /// The OAuth error in the body, if there is one, without any part of the request.
    pub fn oauth_error(&self) -> Option<OAuthError> {
        let found = self.parse::<OAuthError>()?;
        Some(OAuthError {
            error: self.redactor.redact_code(&found.error),
            error_description: self.redactor.redact(&found.error_description),
        })
    }
}

/// An OAuth error (RFC 6749 section 5.2), which Google's token endpoint uses.
#[derive(serde::Deserialize)]
pub struct OAuthError {
    /// The error code.
    pub error: String,
    /// The description; may be empty.
    #[serde(default)]
    pub error_description: String,
}

/// The error of a Google API (`google.rpc.Status`).
#[derive(serde::Deserialize)]
struct GoogleError {
    error: GoogleStatus,
}

#[derive(serde::Deserialize)]
struct GoogleStatus {
    #[serde(default)]
    status: String,
    #[serde(default)]
    message: String,
}
