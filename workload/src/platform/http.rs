//! A small HTTP/1.1 client: https with the roots that are compiled in, http on this machine, and
//! http over a Unix socket. Every answer has a limit and every call an end.

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

mod told;
mod unix;

use told::Carried;
use unix::{NoResolver, UnixConnector};

/// How long one call may take; a pull without messages takes about that long.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Calls before a service that is not available counts as broken.
const ATTEMPTS: u32 = 4;
/// The pause after the first of them; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(200);

/// A client.
pub struct Client<'a> {
    agent: Agent,
    /// When its calls end, if that is before they end by themselves.
    deadline: Option<Deadline<'a>>,
}

/// An answer, whatever its status. Many hold a token or data, so the body of each is a secret.
pub struct Answer {
    status: u16,
    body: Secret,
    carried: Carried,
}

/// What to send with a call.
pub enum Content<'a> {
    /// Nothing: the call is a GET.
    None,
    /// JSON.
    Json(Vec<u8>),
    /// A form.
    Form(&'a [(&'a str, &'a str)]),
}

impl Content<'_> {
    /// JSON of `value`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn json(value: &impl Serialize) -> Result<Self, Error> {
        content::json::canonical(value)
            .map(Self::Json)
            .map_err(Error::Request)
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

    /// A client for the process that listens on the Unix socket `path`; the host in a URL means nothing.
    pub fn unix(path: &Path) -> Self {
        let connector = UnixConnector {
            path: path.to_owned(),
        };
        Self {
            agent: Agent::with_parts(config(), connector, NoResolver),
            deadline: None,
        }
    }

    /// The same client, whose calls end at `deadline`.
    pub fn until<'d>(&self, deadline: Deadline<'d>) -> Client<'d> {
        Client {
            agent: self.agent.clone(),
            deadline: Some(deadline),
        }
    }

    /// Calls `url`, again if the service is not available; `doing` says what for.
    ///
    /// # Errors
    /// [`Error::Late`] at the deadline; no whole answer came, or one over [`limits::HTTP_BODY`].
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

    /// The time until the deadline.
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
            carried: Carried::of(bearer, content),
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

/// A call that had less time than usual was ended by the deadline.
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

/// Whether nothing was done and a later call may find it better.
fn is_unavailable(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Io(_) | ureq::Error::ConnectionFailed)
}

impl Answer {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body.
    pub fn into_body(self) -> Secret {
        self.body
    }

    fn is_unavailable(&self) -> bool {
        matches!(self.status, 429 | 500 | 502 | 503 | 504)
    }

    /// The body as JSON, strictly.
    ///
    /// # Errors
    /// Another status than 200, or no such JSON. What there is instead is not said: it may be a
    /// token or data in the wrong place.
    pub fn json<T: DeserializeOwned>(self, doing: &str) -> Result<T, Error> {
        let answer = self.ok(doing)?;
        answer.parse().ok_or_else(|| Error::Incomplete {
            doing: doing.to_owned(),
            missing: "form",
        })
    }

    fn parse<T: DeserializeOwned>(&self) -> Option<T> {
        content::json::parse(self.body.bytes(), limits::HTTP_BODY).ok()
    }

    /// This answer, if its status is 200.
    ///
    /// # Errors
    /// Another status.
    pub fn ok(self, doing: &str) -> Result<Self, Error> {
        match self.status {
            200 => Ok(self),
            status => Err(Error::Status {
                doing: doing.to_owned(),
                status,
                message: self.message(),
            }),
        }
    }

    /// The name that Google has for this kind of error (`google.rpc.Code`); empty if it says none.
    pub fn code(&self) -> String {
        let google = self.parse::<GoogleError>();
        google.map_or_else(String::new, |google| google.error.status)
    }

    /// What the body of an error says, in one line, shortened; nothing that it may have from the
    /// request.
    pub fn message(&self) -> String {
        match self.parse() {
            Some(GoogleError { error }) => {
                let code = self.carried.tell_code(&error.status);
                format!("{code}: {}", self.carried.tell(&error.message))
            }
            None => self
                .carried
                .tell(&String::from_utf8_lossy(self.body.bytes())),
        }
    }

    /// What the body says, if it is an error of OAuth.
    pub fn oauth_error(&self) -> Option<OAuthError> {
        let found = self.parse::<OAuthError>()?;
        Some(OAuthError {
            error: self.carried.tell_code(&found.error),
            error_description: self.carried.tell(&found.error_description),
        })
    }
}

/// An error of OAuth (RFC 6749 section 5.2); not Google's usual form.
#[derive(serde::Deserialize)]
pub struct OAuthError {
    /// The code.
    pub error: String,
    /// What the service says about it; may be empty.
    #[serde(default)]
    pub error_description: String,
}

/// What strangers wrote, without what steers a terminal and at most `length` characters of it.
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

/// `bytes` as Google's JSON has them.
pub fn base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// The bytes that `text` in Google's JSON stands for.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}
