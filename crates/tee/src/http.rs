//! A small HTTP/1.1 client: https with compiled-in roots, http to loopback addresses, and http over a
//! Unix socket. Every answer has a size limit and every call a timeout; no redirect is followed.

use std::path::Path;
use std::time::Duration;

use ureq::config::Config;
use ureq::{Agent, RequestBuilder};
use zeroize::Zeroizing;

use crate::deadline::Deadline;
use crate::error::Error;

mod answer;
mod redact;
mod request;
mod unix;

pub use answer::{Answer, OAuthError};
pub use request::{Content, Request, Slow};

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

    /// The same client, with calls that end at `deadline` if there is one.
    pub(crate) fn until_any<'d>(&self, deadline: Option<Deadline<'d>>) -> Client<'d> {
        Client {
            agent: self.agent.clone(),
            deadline,
        }
    }

    /// Sends a request, and retries if the service is unavailable. `doing` names the operation in errors.
    ///
    /// # Errors
    /// [`Error::Late`] at the deadline; [`Error::Http`] if no complete answer arrived, or one larger than
    /// the limit of the request.
    pub fn call(&self, doing: &str, request: &Request) -> Result<Answer, Error> {
        let mut pauses = (0..ATTEMPTS - 1).map(|attempt| PAUSE * 2_u32.pow(attempt));
        loop {
            let left = self.left(doing)?;
            let outcome = self.call_once(request, left.min(TIMEOUT));
            let pause = match (&outcome, pauses.next()) {
                (Ok(answer), Some(pause)) if answer.is_unavailable() => pause,
                (Err(error), Some(pause)) if is_unavailable(error, request.slow) => pause,
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

    fn call_once(&self, request: &Request, timeout: Duration) -> Result<Answer, ureq::Error> {
        let url = request.url.as_ref();
        let response = match &request.content {
            Content::None => prepare(self.agent.get(url), request, timeout).call()?,
            Content::Form(form) => {
                let post = prepare(self.agent.post(url), request, timeout);
                post.send_form(form.iter().copied())?
            }
            Content::Json(json) => {
                let post = prepare(self.agent.post(url), request, timeout);
                post.content_type("application/json").send(json)?
            }
        };
        let (parts, mut body) = response.into_parts();
        let body = body.with_config().limit(request.limit).read_to_vec()?;
        Ok(Answer::new(parts, body, Redactor::of(request)))
    }
}

fn prepare<B>(
    builder: RequestBuilder<B>,
    request: &Request,
    timeout: Duration,
) -> RequestBuilder<B> {
    let mut builder = builder.config().timeout_global(Some(timeout)).build();
    for (name, value) in &request.headers {
        builder = builder.header(*name, value.as_ref());
    }
    match request.bearer.and_then(|token| token.text()) {
        Some(token) => {
            let value = Zeroizing::new(format!("Bearer {token}"));
            builder.header("authorization", value.as_str())
        }
        None => builder,
    }
}

fn config() -> Config {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .timeout_global(Some(TIMEOUT))
        .user_agent("countersign-tee")
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
fn is_unavailable(error: &ureq::Error, slow: Slow) -> bool {
    match error {
        ureq::Error::Io(_) | ureq::Error::ConnectionFailed | ureq::Error::HostNotFound => true,
        ureq::Error::Timeout(_) => slow == Slow::Again,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again() {
        let timeout = || ureq::Error::Timeout(ureq::Timeout::Global);
        assert!(is_unavailable(&ureq::Error::HostNotFound, Slow::Fail));
        assert!(is_unavailable(&timeout(), Slow::Again));
        assert!(!is_unavailable(&timeout(), Slow::Fail));
        let large = ureq::Error::BodyExceedsLimit(1);
        assert!(!is_unavailable(&large, Slow::Again));
    }
}
