use std::str::FromStr;

use remote::is_loopback_host;
use url::Url;

use crate::Error;

/// Another address for Cloud KMS than its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KmsEndpoint(String);

impl KmsEndpoint {
    /// The address, as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KmsEndpoint {
    type Err = Error;

    /// A URL with a host, of HTTPS, or of HTTP that does not leave the machine: whoever listens could use
    /// the access token.
    fn from_str(text: &str) -> Result<Self, Error> {
        let url = Url::parse(text).ok();
        let usable = |url: &Url| match url.scheme() {
            "https" => url.has_host(),
            "http" => url.host().is_some_and(|host| is_loopback_host(&host)),
            _ => false,
        };
        match url.as_ref().is_some_and(usable) {
            true => Ok(Self(text.to_owned())),
            false => Err(Error::KmsEndpoint(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_web_address() {
        for text in [
            "http://127.0.0.1:8080",
            "http://localhost:1",
            "http://[::1]:1",
            "https://kms.example/",
        ] {
            assert_eq!(text.parse::<KmsEndpoint>().unwrap().as_str(), text);
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
            assert!(text.parse::<KmsEndpoint>().is_err(), "{text}");
        }
    }
}
