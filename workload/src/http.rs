//! A small HTTP/1.1 client: https with the roots that are compiled in, http on this machine, and
//! http over a Unix socket. Every answer has a limit and every call an end.

use std::fmt;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use content::limits;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};
use zeroize::Zeroizing;

use crate::{Error, Secret};

/// How long one call may take; a pull without messages takes about that long.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Calls before a service that is not available counts as broken.
const ATTEMPTS: u32 = 4;
/// The pause after the first of them; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(200);
/// Bytes of an answer that are told when it is an error.
const TOLD: usize = 600;

/// A client.
pub struct Client {
    agent: Agent,
}

/// An answer, whatever its status. Many hold a token or data, so the body of each is a secret.
pub struct Answer {
    status: u16,
    body: Secret,
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

impl Client {
    /// A client for services on the network.
    pub fn network() -> Self {
        Self {
            agent: Agent::new_with_config(config()),
        }
    }

    /// A client for whoever listens on the Unix socket `path`; the host in a URL means nothing.
    pub fn unix(path: &Path) -> Self {
        let connector = UnixConnector {
            path: path.to_owned(),
        };
        Self {
            agent: Agent::with_parts(config(), connector, NoResolver),
        }
    }

    /// Calls `url`, again if the service is not available; `doing` says what for.
    ///
    /// # Errors
    /// No whole answer came, or one over [`limits::HTTP_BODY`].
    pub fn call(
        &self,
        doing: &str,
        url: &str,
        bearer: Option<&Secret>,
        content: &Content,
    ) -> Result<Answer, Error> {
        for attempt in 0..ATTEMPTS - 1 {
            match self.call_once(url, bearer, content) {
                Ok(answer) if !answer.is_unavailable() => return Ok(answer),
                Err(error) if !is_unavailable(&error) => return Err(http_error(doing, error)),
                _ => std::thread::sleep(PAUSE * 2_u32.pow(attempt)),
            }
        }
        self.call_once(url, bearer, content)
            .map_err(|error| http_error(doing, error))
    }

    fn call_once(
        &self,
        url: &str,
        bearer: Option<&Secret>,
        content: &Content,
    ) -> Result<Answer, ureq::Error> {
        let token = bearer
            .and_then(Secret::text)
            .map(|token| Zeroizing::new(format!("Bearer {token}")));
        let token = token
            .as_ref()
            .map(|token| ("authorization", token.as_str()));
        let response = match content {
            Content::None => token
                .into_iter()
                .fold(self.agent.get(url), |request, (name, value)| {
                    request.header(name, value)
                })
                .call()?,
            content => {
                let post = self.agent.post(url);
                let post = token
                    .into_iter()
                    .fold(post, |request, (n, v)| request.header(n, v));
                match content {
                    Content::Form(form) => post.send_form(form.iter().copied())?,
                    Content::Json(json) => post.content_type("application/json").send(json)?,
                    Content::None => post.send_empty()?,
                }
            }
        };
        let (parts, mut body) = response.into_parts();
        let body = body.with_config().limit(limits::HTTP_BODY).read_to_vec()?;
        Ok(Answer {
            status: parts.status.as_u16(),
            body: Secret::new(body),
        })
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

fn http_error(doing: &str, source: ureq::Error) -> Error {
    Error::Http {
        doing: doing.to_owned(),
        source: Box::new(source),
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

    /// What the body of an error says, in one line, shortened.
    pub fn message(&self) -> String {
        let told = match self.parse() {
            Some(GoogleError { error }) => format!("{}: {}", error.status, error.message),
            None => String::from_utf8_lossy(self.body.bytes()).into_owned(),
        };
        printable(&told, TOLD)
    }
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

#[derive(Debug)]
struct UnixConnector {
    path: PathBuf,
}

impl Connector for UnixConnector {
    type Out = UnixTransport;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _: Option<()>,
    ) -> Result<Option<UnixTransport>, ureq::Error> {
        let stream = UnixStream::connect(&self.path)?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(UnixTransport { stream, buffers }))
    }
}

struct UnixTransport {
    stream: UnixStream,
    buffers: LazyBuffers,
}

impl fmt::Debug for UnixTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnixTransport")
    }
}

impl Transport for UnixTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream
            .set_write_timeout(timeout.not_zero().map(|after| *after))?;
        let sent = self.stream.write_all(&self.buffers.output()[..amount]);
        sent.map_err(|error| unix_error(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream
            .set_read_timeout(timeout.not_zero().map(|after| *after))?;
        let read = self.stream.read(self.buffers.input_append_buf());
        let amount = read.map_err(|error| unix_error(error, timeout))?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// One connection, one call: the other side is on this machine.
    fn is_open(&mut self) -> bool {
        false
    }
}

fn unix_error(error: std::io::Error, timeout: NextTimeout) -> ureq::Error {
    match error.kind() {
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => {
            ureq::Error::Timeout(timeout.reason)
        }
        _ => error.into(),
    }
}

/// A socket's path needs no resolving; ureq wants an address all the same.
#[derive(Debug)]
struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::from((Ipv4Addr::LOCALHOST, 80)));
        Ok(addresses)
    }
}
