//! Requests to the services of a Sigstore instance.

use std::fmt::Display;
use std::time::Duration;

use content::{json, printable};
use keyless::signing::ANSWER;
use remote::{Authorities, is_loopback_host};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde::Deserialize;
use url::Url;

use crate::Error;

const USER_AGENT: &str = concat!("countersign/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// The time limit for a request and its answer. A log answers when the entry is in the tree, which takes seconds.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The longest text shown of a service's message, in characters.
const MESSAGE: usize = 300;

/// What a service does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// Certifies keys (Fulcio, API v2).
    Authority,
    /// Logs signatures (Rekor, API v2).
    Log,
    /// Timestamps signatures (RFC 3161).
    Timestamps,
}

/// One service.
pub(super) struct Service {
    kind: Kind,
    url: Url,
    client: Client,
}

/// A client that follows no redirect, which could take an identity token elsewhere.
pub(super) fn client(authorities: Option<&Authorities>) -> Result<Client, Error> {
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT);
    if let Some(authorities) = authorities {
        builder = builder.tls_certs_merge(authorities.certificates()?);
    }
    let built = builder.build();
    built.map_err(|error| Error::Unreachable(format!("starting HTTPS: {}", remote::chain(&error))))
}

impl Service {
    /// A service at a URL of a signing config: HTTPS, or HTTP on loopback only, since an attacker on the network could use
    /// the identity token.
    pub(super) fn new(kind: Kind, base: &str, client: &Client) -> Result<Self, Error> {
        let usable = |url: &Url| match url.scheme() {
            "https" => url.has_host(),
            "http" => url.host().is_some_and(|host| is_loopback_host(&host)),
            _ => false,
        };
        // The address by itself: a parser makes a host of what follows `https:/`.
        let is_usable = Url::parse(base).is_ok_and(|url| usable(&url) && is_plain(&url));
        let whole = format!("{}{}", base.trim_end_matches('/'), kind.path());
        let url = Url::parse(&whole).ok().filter(|_| is_usable);
        let url = url.ok_or_else(|| {
            Error::SigningConfig(format!(
                "reading signing config: expected https://…, or http://… on this machine, without user, query and \
                 fragment, found {base:?}"
            ))
        })?;
        let client = client.clone();
        Ok(Self { kind, url, client })
    }

    /// Sends a request, and reads the body of the answer.
    ///
    /// # Errors
    /// The service cannot be reached, refuses, or its answer is larger than [`ANSWER`].
    pub(super) async fn ask(&self, body: Vec<u8>, token: Option<&str>) -> Result<Vec<u8>, Error> {
        let media_type = self.kind.media_type();
        let mut request = self.client.post(self.url.clone()).body(body);
        request = request.header(CONTENT_TYPE, media_type);
        if self.kind != Kind::Timestamps {
            request = request.header(ACCEPT, media_type);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.map_err(|error| self.broken(error))?;
        let status = answer.status();
        let body = self.read(answer).await?;
        match status.is_success() {
            true => Ok(body),
            false => Err(Error::Service {
                doing: self.doing(),
                is_authority: self.kind == Kind::Authority,
                status: status.as_u16(),
                message: message(&body, token),
            }),
        }
    }

    async fn read(&self, mut answer: Response) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|error| self.broken(error))? {
            body.extend_from_slice(&piece);
            if body.len() as u64 > ANSWER {
                return Err(self.answered(&format_args!("more than {ANSWER} bytes"), None));
            }
        }
        Ok(body)
    }

    /// The error for an answer that cannot be used, to a request with this token. The reason may quote the answer.
    pub(super) fn answered(&self, reason: &dyn Display, token: Option<&str>) -> Error {
        let reason = shown(&reason.to_string(), token);
        Error::ServiceAnswer(format!("{}: {reason}", self.doing()))
    }

    fn broken(&self, error: reqwest::Error) -> Error {
        let error = error.without_url();
        Error::Unreachable(format!("{}: {}", self.doing(), remote::chain(&error)))
    }

    fn doing(&self) -> String {
        let what = match self.kind {
            Kind::Authority => "a certificate",
            Kind::Log => "a log entry",
            Kind::Timestamps => "a timestamp",
        };
        format!("requesting {what} from {}", self.url)
    }
}

/// Whether a path can be added to the URL, and no user in it is sent in place of the identity token.
fn is_plain(url: &Url) -> bool {
    let has_user = !url.username().is_empty() || url.password().is_some();
    !has_user && url.query().is_none() && url.fragment().is_none()
}

impl Kind {
    /// The path below the URL in a signing config. That of a timestamp authority is complete.
    fn path(self) -> &'static str {
        match self {
            Self::Authority => "/api/v2/signingCert",
            Self::Log => "/api/v2/log/entries",
            Self::Timestamps => "",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Authority | Self::Log => "application/json",
            Self::Timestamps => "application/timestamp-query",
        }
    }
}

/// The message in the answer of an error, as [`shown`]. Fulcio and Rekor answer as gRPC gateways do.
fn message(body: &[u8], token: Option<&str>) -> String {
    #[derive(Deserialize)]
    struct Status {
        message: String,
    }
    let text = match json::parse::<Status>(body, ANSWER) {
        Ok(status) => status.message,
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    shown(&text, token)
}

/// A text of a service, escaped for printing, without the token that was sent: a server that is no certificate authority may
/// answer with the request.
fn shown(text: &str, token: Option<&str>) -> String {
    let text = text.trim();
    match token {
        Some(token) => printable(&text.replace(token, "(the identity token)"), MESSAGE),
        None => printable(text, MESSAGE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_or_on_loopback() {
        let client = Client::new();
        for (kind, base, url) in [
            (
                Kind::Authority,
                "https://f.example",
                "https://f.example/api/v2/signingCert",
            ),
            (
                Kind::Authority,
                "https://f.example/x/",
                "https://f.example/x/api/v2/signingCert",
            ),
            (
                Kind::Log,
                "http://127.0.0.1:6104",
                "http://127.0.0.1:6104/api/v2/log/entries",
            ),
            (
                Kind::Timestamps,
                "http://[::1]:1/api/v1/timestamp",
                "http://[::1]:1/api/v1/timestamp",
            ),
        ] {
            assert_eq!(Service::new(kind, base, &client).unwrap().url.as_str(), url);
        }
        for base in [
            "",
            "f.example",
            "ftp://f.example",
            "http://f.example",
            "http://192.0.2.1",
            "https://",
            "https://user@f.example",
            "https://:password@f.example",
            "https://f.example?a=b",
            "https://f.example#a",
        ] {
            let error = Service::new(Kind::Log, base, &client).err().unwrap();
            assert!(matches!(error, Error::SigningConfig(_)), "{base}: {error}");
        }
    }

    #[test]
    fn a_message_is_escaped() {
        assert_eq!(
            message(br#"{"code":16,"message":"no\u001b[2J","details":[]}"#, None),
            "no\\u{1b}[2J"
        );
        assert_eq!(message(b"<html>\r\n", None), "<html>");
        assert_eq!(message(&[b'x'; 1000], None).chars().count(), MESSAGE + 1);
        assert_eq!(message(b"", None), "");
    }

    #[test]
    fn a_message_does_not_quote_the_token() {
        let token = Some("e30.e30.c2ln");
        let quoted = "found Bearer (the identity token)";
        for body in [
            &b"found Bearer e30.e30.c2ln"[..],
            br#"{"message":"found Bearer e30.e30.c2ln"}"#,
        ] {
            assert_eq!(message(body, token), quoted);
        }
    }
}
