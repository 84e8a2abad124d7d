use std::str::FromStr;

use remote::is_loopback_host;
use url::Url;

use crate::Error;

/// A URL to use for a service of Google Cloud in place of its public one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint(String);

/// The endpoint of Cloud KMS.
pub type KmsEndpoint = Endpoint;

impl Endpoint {
    /// The URL as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    /// Parses a URL with a host: HTTPS, or HTTP on loopback only, since an attacker on the network could
    /// use the access token.
    fn from_str(text: &str) -> Result<Self, Error> {
        let url = Url::parse(text).ok();
        let usable = |url: &Url| match url.scheme() {
            "https" => url.has_host(),
            "http" => url.host().is_some_and(|host| is_loopback_host(&host)),
            _ => false,
        };
        match url.as_ref().is_some_and(usable) {
            true => Ok(Self(text.to_owned())),
            false => Err(Error::Endpoint(format!(
                "parsing endpoint: expected https://…, or http://… on this machine, found {text:?}"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_https_or_http_on_loopback() {
        for text in [
            "http://127.0.0.1:8080",
            "http://localhost:1",
            "http://[::1]:1",
            "https://kms.example/",
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().as_str(), text);
        }
        for text in [
            "",
            "nonsense",
            "127.0.0.1:9",
            "localhost:9",
            "ftp://kms.example",
            "http://",
            "http://kms.example",
            "http://192.0.2.1:1",
            "http://127.0.0.1.example",
        ] {
            match text.parse::<Endpoint>() {
                Err(Error::Endpoint(found)) => assert!(found.ends_with(&format!("{text:?}"))),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
