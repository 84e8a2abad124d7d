//! Requests over REST, with an access token.

use std::time::Duration;

use console::hint::Hinted;
use content::{json, limits, printable};
use google_cloud_auth::credentials::CacheableResource;
use reqwest::header::HeaderMap;
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

/// A service of Google Cloud, and the credentials for it.
#[derive(Clone, Debug)]
pub struct Rest {
    client: Client,
    credentials: Credentials,
    /// The URL without a slash at its end.
    base: String,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// What is done, as a participle: `reading pool X`.
    pub doing: &'a str,
    /// The path below the endpoint, with its query.
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
            credentials,
            base: base.trim_end_matches('/').to_owned(),
        })
    }

    /// Sends a request, and parses the answer.
    ///
    /// # Errors
    /// There is no access token, the service cannot be reached, refuses, or answers something else than a `T`.
    pub async fn call<T: DeserializeOwned>(&self, request: &Request<'_>) -> Result<T, Hinted> {
        let sent = self.send(request).await;
        let answer = sent.map_err(|error| error.during(request.doing))?;
        json::parse(&answer, limits::HTTP_BODY).map_err(|error| {
            let fault = format_args!("{}: reading the answer: {error}", request.doing);
            Hinted::new(fault).hinting(OTHER_SERVICE)
        })
    }

    async fn send(&self, request: &Request<'_>) -> Result<Vec<u8>, Hinted> {
        let url = format!("{}/v1/{}", self.base, request.path);
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
        match status.is_success() {
            true => Ok(body),
            false => Err(refused(request, status, &body)),
        }
    }

    async fn token(&self) -> Result<HeaderMap, Hinted> {
        match self.credentials.headers(Default::default()).await {
            Ok(CacheableResource::New { data, .. }) => Ok(data),
            Ok(CacheableResource::NotModified) => Err(Hinted::new("no access token")),
            Err(error) => Err(Hinted::doing("obtaining an access token", error)),
        }
        .map_err(|error| error.hinting(CREDENTIALS))
    }
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
