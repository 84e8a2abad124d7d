//! A small HTTP/1.1 client: https with compiled-in roots, http to loopback addresses, and http over a
//! Unix socket. Every answer has a size limit and every call a timeout.

use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use content::limits;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::config::Config;
use ureq::{Agent, RequestBuilder};
use zeroize::Zeroizing;

use crate::platform::deadline::Deadline;
use crate::platform::{Error, Secret};

mod redact;
mod unix;

use redact::Redactor;
use unix::{NoResolver, UnixConnector};

/// The timeout of one call; a pull without messages takes about that long.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The number of attempts to call a service that is unavailable.
const ATTEMPTS: u32 = 4;
/// The pause after the first attempt; it doubles with each attempt.
const PAUSE: Duration = Duration::from_millis(200);

/// An HTTP client.
pub struct Client<'a> {
    agent: Agent,
    /// The time at which all calls end, if there is one.
    deadline: Option<Deadline<'a>>,
}

/// An answer with any status. Many answers contain a token or data, so the body is a secret.
pub struct Answer {
    status: u16,
    body: Secret,
    redactor: Redactor,
}

/// The content of a request.
pub enum Content<'a> {
    /// None: the request is a GET.
    None,
    /// JSON, sent by POST.
    Json(Vec<u8>),
    /// A form of names and values, sent by POST (`application/x-www-form-urlencoded`).
    Form(&'a [(&'a str, &'a str)]),
}

impl Content<'_> {
    /// `value` as JSON.
    ///
    /// # Errors
    /// `value` cannot be written as JSON.
    pub fn json(value: &impl Serialize) -> Result<Self, Error> {
        content::json::canonical(value)
            .map(Self::Json)
            .map_err(|error| Error::system("writing request", error))
    }
}

impl Client<'_> {
    /// A client for services on the network.
    pub fn network() -> Self {
        Self {
            agent: Agent::new_with_config(config()),
            deadline: None,
        }
    }

    /// A client for the process that listens on the Unix socket `path`; the host in a URL is ignored.
    pub fn unix(path: &Path) -> Self {
        let connector = UnixConnector {
            path: path.to_owned(),
        };
        Self {
            agent: Agent::with_parts(config(), connector, NoResolver),
            deadline: None,
        }
    }

    /// The same client, with calls that end at `deadline`.
    pub fn until<'d>(&self, deadline: Deadline<'d>) -> Client<'d> {
        Client {
            agent: self.agent.clone(),
            deadline: Some(deadline),
        }
    }

    /// Calls `url`, and retries if the service is unavailable. `doing` names the operation in errors.
    ///
    /// # Errors
    /// [`Error::Late`] at the deadline; [`Error::Http`] if no complete answer arrived, or one larger than
    /// [`limits::HTTP_BODY`].
    pub fn call(
        &self,
        doing: &str,
        url: &str,
        bearer: Option<&Secret>,
        content: &Content,
    ) -> Result<Answer, Error> {
        let mut pauses = (0..ATTEMPTS - 1).map(|attempt| PAUSE * 2_u32.pow(attempt));
        loop {
            let left = self.left(doing)?;
            let outcome = self.call_once(url, bearer, content, left.min(TIMEOUT));
            let pause = match (&outcome, pauses.next()) {
                (Ok(answer), Some(pause)) if answer.is_unavailable() => pause,
                (Err(error), Some(pause)) if is_unavailable(error) => pause,
                _ => return outcome.map_err(|error| http_error(doing, error, left)),
            };
            std::thread::sleep(pause.min(left));
        }
    }

    /// The time until the deadline; an error if it has passed.
    fn left(&self, doing: &str) -> Result<Duration, Error> {
        let left = self.deadline.map_or(Duration::MAX, |d| d.left());
        match left.is_zero() {
            true => Err(late(doing)),
            false => Ok(left),
        }
    }

    fn call_once(
        &self,
        url: &str,
        bearer: Option<&Secret>,
        content: &Content,
        timeout: Duration,
    ) -> Result<Answer, ureq::Error> {
        let response = match content {
            Content::None => authorized(self.agent.get(url), bearer, timeout).call()?,
            Content::Form(form) => {
                let post = authorized(self.agent.post(url), bearer, timeout);
                post.send_form(form.iter().copied())?
            }
            Content::Json(json) => {
                let post = authorized(self.agent.post(url), bearer, timeout);
                post.content_type("application/json").send(json)?
            }
        };
        let (parts, mut body) = response.into_parts();
        let body = body.with_config().limit(limits::HTTP_BODY).read_to_vec()?;
        Ok(Answer {
            status: parts.status.as_u16(),
            body: Secret::new(body),
            redactor: Redactor::of(bearer, content),
        })
    }
}

fn authorized<B>(
    request: RequestBuilder<B>,
    bearer: Option<&Secret>,
    timeout: Duration,
) -> RequestBuilder<B> {
    let request = request.config().timeout_global(Some(timeout)).build();
    match bearer.and_then(Secret::text) {
        Some(token) => {
            let value = Zeroizing::new(format!("Bearer {token}"));
            request.header("authorization", value.as_str())
        }
        None => request,
    }
}

fn config() -> Config {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .timeout_global(Some(TIMEOUT))
        .user_agent("countersign-workload")
        .build()
}

/// A call that timed out before [`TIMEOUT`] was ended by the deadline.
fn http_error(doing: &str, source: ureq::Error, left: Duration) -> Error {
    match source {
        ureq::Error::Timeout(_) if left < TIMEOUT => late(doing),
        source => Error::Http {
            doing: doing.to_owned(),
            source: Box::new(source),
        },
    }
}

fn late(doing: &str) -> Error {
    Error::Late {
        doing: doing.to_owned(),
    }
}

/// Whether the connection failed, so that a later call may succeed.
fn is_unavailable(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Io(_) | ureq::Error::ConnectionFailed)
}

impl Answer {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body of the answer.
    pub fn into_body(self) -> Secret {
        self.body
    }

    fn is_unavailable(&self) -> bool {
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
            status => Err(Error::status(doing, status, &self.message())),
        }
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

/// Untrusted text with unprintable characters replaced by spaces, cut to `length` characters.
pub fn printable(text: &str, length: usize) -> String {
    let kept = text.trim().chars().take(length);
    kept.map(|c| if content::is_plain(c) { c } else { ' ' })
        .collect()
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

/// Encodes bytes as Google's JSON does (base64, RFC 4648 section 4).
pub fn base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// Decodes base64 (RFC 4648 section 4); `None` if `text` is not base64.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}
