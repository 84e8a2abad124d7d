//! HTTPS or HTTP, and the clients for both.

use std::path::Path;
use std::time::Duration;

use reqwest::{Client, StatusCode, Url};
use tokio::sync::OnceCell;
use url::Host;

use crate::{Authorities, Error};
use crate::{http, roots};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// The longest pause between two pieces of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// The time limit for the first request to a registry on loopback, for HTTPS and HTTP each: a server
/// of the other protocol may wait for more input instead of answering.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
const USER_AGENT: &str = concat!("countersign/", env!("CARGO_PKG_VERSION"));

/// The protocol for requests to a registry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Transport {
    /// HTTPS, with the system's certificate authorities. For a registry on the loopback interface that
    /// does not speak HTTPS, HTTP is used, unless `extra_ca` is given.
    Https {
        /// Certificate authorities to trust in addition to the system's.
        extra_ca: Option<Authorities>,
    },
    /// HTTP, for a registry on this machine or on a protected network. Digests are checked as with
    /// HTTPS.
    PlainHttp,
}

impl Transport {
    /// HTTPS, with the system's certificate authorities and those in the PEM file `extra_ca`.
    ///
    /// # Errors
    /// The file cannot be read, or has no certificates.
    pub async fn https(extra_ca: Option<&Path>) -> Result<Self, Error> {
        let extra_ca = match extra_ca {
            Some(path) => Some(Authorities::read(path).await?),
            None => None,
        };
        Ok(Self::Https { extra_ca })
    }
}

/// One protocol for a registry, with its HTTP client.
pub(crate) struct Endpoint {
    /// The URL of the registry's API, with a trailing slash.
    pub(crate) root: String,
    pub(crate) http: Client,
}

/// The protocols to try for a registry, preferred first.
pub(crate) struct Endpoints {
    first: Endpoint,
    /// Used if the first fails.
    second: Option<Endpoint>,
    chosen: OnceCell<Choice>,
}

enum Choice {
    First,
    Second,
}

impl Endpoints {
    pub(crate) fn new(transport: &Transport, host: &str) -> Result<Self, Error> {
        let (first, second) = match transport {
            Transport::PlainHttp => (Endpoint::http(host)?, None),
            Transport::Https { extra_ca: None } if is_loopback(host) => {
                let second = Endpoint::http(host)?;
                (Endpoint::https(host, None)?, Some(second))
            }
            Transport::Https { extra_ca } => (Endpoint::https(host, extra_ca.as_ref())?, None),
        };
        Ok(Self {
            first,
            second,
            chosen: OnceCell::new(),
        })
    }

    /// The endpoint to use. It is determined once.
    ///
    /// # Errors
    /// The error of HTTPS if HTTP fails too.
    pub(crate) async fn choose(&self) -> Result<&Endpoint, Error> {
        let Some(second) = &self.second else {
            return Ok(&self.first);
        };
        let choice = || async {
            let Err(error) = self.first.probe().await else {
                return Ok(Choice::First);
            };
            match second.probe().await {
                // HTTPS servers answer HTTP requests with 400: report the error of HTTPS.
                Ok(StatusCode::BAD_REQUEST) | Err(_) => Err(error),
                Ok(_) => Ok(Choice::Second),
            }
        };
        Ok(match self.chosen.get_or_try_init(choice).await? {
            Choice::First => &self.first,
            Choice::Second => second,
        })
    }
}

impl Endpoint {
    /// A client that reads the system's certificate authorities only after a redirect to HTTPS.
    fn http(host: &str) -> Result<Self, Error> {
        let builder = match roots::late() {
            Ok(tls) => client().tls_backend_preconfigured(tls),
            // Building the client reports the cause.
            Err(_) => client(),
        };
        Ok(Self {
            root: format!("http://{host}/v2/"),
            http: build(host, builder)?,
        })
    }

    /// A client that follows no redirect to HTTP, which would expose the content on the network.
    fn https(host: &str, extra_ca: Option<&Authorities>) -> Result<Self, Error> {
        let mut builder = client().https_only(true);
        if let Some(authorities) = extra_ca {
            builder = builder.tls_certs_merge(authorities.certificates()?);
        }
        Ok(Self {
            root: format!("https://{host}/v2/"),
            http: build(host, builder)?,
        })
    }

    async fn probe(&self) -> Result<StatusCode, Error> {
        let request = self.http.get(&self.root).timeout(PROBE_TIMEOUT);
        let answer = request.send().await;
        let answer = answer.map_err(|error| http::broken(&self.root, error))?;
        Ok(answer.status())
    }

    /// Whether `url` has the registry's origin, so that a request to it may carry the credentials.
    pub(crate) fn has_origin_of(&self, url: &Url) -> bool {
        Url::parse(&self.root).is_ok_and(|root| root.origin() == url.origin())
    }
}

pub(crate) fn client() -> reqwest::ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
}

pub(crate) fn build(host: &str, builder: reqwest::ClientBuilder) -> Result<Client, Error> {
    builder.build().map_err(|source| Error::Transport {
        doing: format!("connecting to {host}"),
        source,
    })
}

/// Whether a registry's host is the loopback interface.
fn is_loopback(registry: &str) -> bool {
    let url = Url::parse(&format!("https://{registry}/"));
    url.is_ok_and(|url| url.host().is_some_and(|host| is_loopback_host(&host)))
}

/// Whether `host` is the loopback interface: `localhost`, or an address in 127.0.0.0/8 or `::1`. Other
/// names are not resolved.
pub fn is_loopback_host(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_localhost_or_a_loopback_address() {
        for here in [
            "localhost",
            "localhost:5000",
            "127.0.0.1:5000",
            "127.9.9.9",
            "[::1]:5000",
        ] {
            assert!(is_loopback(here), "{here}");
        }
        for elsewhere in [
            "r.example",
            "10.0.0.1:5000",
            "127.0.0.1.example",
            "localhost.example",
        ] {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }
}
