//! Requests over REST, with an access token.

use std::fmt::Display;
use std::time::Duration;

use console::hint::Hinted;
use content::{json, limits, printable};
use google_cloud_auth::credentials::CacheableResource;
use grant::live::Unread;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use signer::{Credentials, Endpoint};

use crate::error::CREDENTIALS;

const USER_AGENT: &str = concat!("countersign/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The time limit for a request and its answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest text shown of a service's message, in characters.
const MESSAGE: usize = 300;

/// An access token. It is not shown.
#[derive(Clone, Debug)]
pub struct Token(HeaderValue);

impl Token {
    /// A token, as a file has it; `None` if it has other characters than tokens have.
    pub fn new(text: &str) -> Option<Self> {
        let token = text.trim();
        let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        let header = HeaderValue::from_str(&format!("Bearer {token}")).ok();
        let mut header = header.filter(|_| is_token)?;
        header.set_sensitive(true);
        Some(Self(header))
    }
}

/// Who sends requests.
#[derive(Clone, Debug)]
enum Bearer {
    User(Credentials),
    /// The holder of a token.
    Holder(Token),
}

/// A service of Google Cloud, and the credentials for it.
#[derive(Clone, Debug)]
pub struct Rest {
    client: Client,
    bearer: Bearer,
    /// The URL without a slash at its end.
    base: String,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// What is done, as a participle: `reading pool X`.
    pub doing: &'a str,
    /// The path below the endpoint, with the version of the interface and the query.
    pub path: &'a str,
    /// What is sent; without it, the request is a `GET`.
    pub body: Option<&'a Value>,
    /// What the user can do if the service denies access.
    pub denied: &'static str,
    /// What the user can do if there is no such resource.
    pub absent: &'static str,
    /// What the user can do if the service fails, or does not answer.
    pub failed: &'static str,
}

/// The body of an error (AIP-193).
#[derive(Deserialize)]
struct Fault {
    error: Described,
}

#[derive(Deserialize)]
struct Described {
    #[serde(default)]
    message: String,
}

impl Rest {
    /// The service at `endpoint`, or at its public URL. No redirect is followed, which could take an access token elsewhere.
    ///
    /// # Errors
    /// HTTPS cannot be used.
    pub fn new(
        endpoint: Option<&Endpoint>,
        public: &str,
        credentials: Credentials,
    ) -> Result<Self, Hinted> {
        Self::open(endpoint, public, Bearer::User(credentials))
    }

    /// The same, with the access token of another principal in place of the user's credentials.
    ///
    /// # Errors
    /// HTTPS cannot be used.
    pub fn with_token(
        endpoint: Option<&Endpoint>,
        public: &str,
        token: Token,
    ) -> Result<Self, Hinted> {
        Self::open(endpoint, public, Bearer::Holder(token))
    }

    fn open(endpoint: Option<&Endpoint>, public: &str, bearer: Bearer) -> Result<Self, Hinted> {
        let builder = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT);
        let client = builder
            .build()
            .map_err(|error| Hinted::doing("starting HTTPS", error))?;
        let base = endpoint.map_or(public, Endpoint::as_str);
        Ok(Self {
            client,
            bearer,
            base: base.trim_end_matches('/').to_owned(),
        })
    }

    /// Sends a request, and parses the answer.
    ///
    /// # Errors
    /// There is no access token, the service cannot be reached, refuses, or answers something else than a `T`.
    pub async fn call<T: DeserializeOwned>(&self, request: &Request<'_>) -> Result<T, Hinted> {
        match self.ask(request).await? {
            Asked::Answer(answer) => Ok(answer),
            Asked::Absent(error) | Asked::Denied(error) => Err(error),
        }
    }

    /// As [`Self::call`], but `None` if the service says that there is no such resource.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn find<T: DeserializeOwned>(
        &self,
        request: &Request<'_>,
    ) -> Result<Option<T>, Hinted> {
        match self.ask(request).await? {
            Asked::Answer(answer) => Ok(Some(answer)),
            Asked::Absent(_) => Ok(None),
            Asked::Denied(error) => Err(error),
        }
    }

    /// As [`Self::call`], but that there is no such resource, and that the user may not read it, are answers too.
    ///
    /// # Errors
    /// There is no access token, the service cannot be reached or fails, or it answers something else than a `T`.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        request: &Request<'_>,
    ) -> Result<Asked<T>, Hinted> {
        let during = |error: Hinted| error.during(request.doing);
        Ok(match self.send(request).await.map_err(during)? {
            Asked::Answer(answer) => Asked::Answer(parse(request, &answer)?),
            Asked::Absent(error) => Asked::Absent(during(error)),
            Asked::Denied(error) => Asked::Denied(during(error)),
        })
    }

    async fn send(&self, request: &Request<'_>) -> Result<Asked<Vec<u8>>, Hinted> {
        let url = format!("{}/{}", self.base, request.path);
        let method = match request.body {
            Some(_) => Method::POST,
            None => Method::GET,
        };
        let mut sent = self
            .client
            .request(method, url)
            .headers(self.token().await?);
        if let Some(body) = request.body {
            sent = sent.json(body);
        }
        let failed = |error: Hinted| error.hinting(request.failed);
        let answer = sent.send().await.map_err(|error| failed(broken(error)))?;
        let status = answer.status();
        let body = read(answer).await.map_err(failed)?;
        match status {
            _ if status.is_success() => Ok(Asked::Answer(body)),
            StatusCode::NOT_FOUND => Ok(Asked::Absent(refused(request, status, &body))),
            StatusCode::FORBIDDEN => Ok(Asked::Denied(refused(request, status, &body))),
            _ => Err(refused(request, status, &body)),
        }
    }

    async fn token(&self) -> Result<HeaderMap, Hinted> {
        let credentials = match &self.bearer {
            Bearer::User(credentials) => credentials,
            Bearer::Holder(Token(header)) => {
                return Ok(HeaderMap::from_iter([(AUTHORIZATION, header.clone())]));
            }
        };
        match credentials.headers(Default::default()).await {
            Ok(CacheableResource::New { data, .. }) => Ok(data),
            Ok(CacheableResource::NotModified) => Err(Hinted::new("no access token")),
            Err(error) => Err(Hinted::doing("obtaining an access token", error)),
        }
        .map_err(|error| error.hinting(CREDENTIALS))
    }
}

/// The answer to a request about something that may not exist, and that the user may not be permitted to read.
#[derive(Debug)]
pub enum Asked<T> {
    /// It is this.
    Answer(T),
    /// There is no such resource, and the error that says so.
    Absent(Hinted),
    /// The user may not read it, and the error that says so.
    Denied(Hinted),
}

impl<T> Asked<T> {
    /// What was read, or why nothing was. Google also denies access to what does not exist, so that both are the same here.
    pub(crate) fn read(self) -> Result<T, Unread> {
        match self {
            Self::Answer(answer) => Ok(answer),
            Self::Absent(error) | Self::Denied(error) => Err(Unread {
                fault: error.to_string(),
                hint: error.hint().unwrap_or(CREDENTIALS),
            }),
        }
    }
}

fn parse<T: DeserializeOwned>(request: &Request<'_>, answer: &[u8]) -> Result<T, Hinted> {
    json::parse(answer, limits::HTTP_BODY).map_err(|error| unexpected(request, error))
}

/// The service answers something else than what was asked for.
pub(crate) fn unexpected(request: &Request<'_>, fault: impl Display) -> Hinted {
    let fault = format_args!("{}: reading the answer: {fault}", request.doing);
    Hinted::new(fault).hinting(OTHER_SERVICE)
}

const OTHER_SERVICE: &str = "check that the endpoint, if one is given, is that of the service";

/// Reads the body of an answer within the limit.
async fn read(mut answer: Response) -> Result<Vec<u8>, Hinted> {
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(broken)? {
        body.extend_from_slice(&piece);
        if body.len() as u64 > limits::HTTP_BODY {
            let limit = limits::HTTP_BODY;
            return Err(Hinted::new(format_args!(
                "an answer of more than {limit} bytes"
            )));
        }
    }
    Ok(body)
}

fn broken(error: reqwest::Error) -> Hinted {
    Hinted::new(remote::chain(&error.without_url()))
}

fn refused(request: &Request<'_>, status: StatusCode, body: &[u8]) -> Hinted {
    let message = json::parse::<Fault>(body, limits::HTTP_BODY)
        .map(|fault| printable(&fault.error.message, MESSAGE))
        .unwrap_or_default();
    let hint = match status {
        StatusCode::UNAUTHORIZED => CREDENTIALS,
        StatusCode::FORBIDDEN => request.denied,
        StatusCode::NOT_FOUND => request.absent,
        _ => request.failed,
    };
    let status = status.as_u16();
    let error = match message.as_str() {
        "" => Hinted::new(format_args!("status {status}")),
        message => Hinted::new(format_args!("status {status}: {message}")),
    };
    error.hinting(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word_and_is_not_shown() {
        for text in ["", " \n", "a b", "a\nb", "é"] {
            assert!(Token::new(text).is_none(), "{text:?}");
        }
        let token = Token::new("ya29.token\n").unwrap();
        assert_eq!(token.0.as_bytes(), b"Bearer ya29.token");
        assert!(!format!("{token:?}").contains("ya29"), "{token:?}");
    }
}
