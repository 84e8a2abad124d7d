//! Addresses of services.

use std::borrow::Cow;

/// The largest length of an address, in bytes.
const LIMIT: usize = 512;
/// The hosts of Compute Engine's metadata server ("About VM metadata"), which has no TLS.
const METADATA_HOSTS: [&str; 2] = ["metadata.google.internal", "169.254.169.254"];

/// An address that tokens may be sent to: https, or http to a loopback address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint(Cow<'static, str>);

/// The address of a metadata server, to which nothing secret is sent: https, or http to a loopback address or to Google's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MetadataServer(Cow<'static, str>);

/// A text that is not the address of a service.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("invalid address {0:?}: expected https, or http to a loopback address")]
pub struct InvalidAddress(String);

impl Endpoint {
    /// Parses an address; slashes at its end are removed.
    ///
    /// # Errors
    /// Any other scheme, http to a host that is not loopback, user information, a query or a fragment,
    /// or more than 512 bytes.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        parse(text, is_loopback).map(Self)
    }

    /// An address that is known to be right.
    pub(crate) const fn known(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// The address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl MetadataServer {
    /// The metadata server of Compute Engine.
    pub const GOOGLE: Self = Self(Cow::Borrowed("http://metadata.google.internal"));

    /// Parses an address; slashes at its end are removed.
    ///
    /// # Errors
    /// As [`Endpoint::parse`], but http to Google's metadata server is allowed.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        parse(text, |host| {
            is_loopback(host) || METADATA_HOSTS.contains(&host)
        })
        .map(Self)
    }

    /// The address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn parse(text: &str, is_plain_host: fn(&str) -> bool) -> Result<Cow<'static, str>, InvalidAddress> {
    let invalid = || InvalidAddress(text.chars().take(80).collect());
    let is_plain = |c: char| c.is_ascii_graphic() && !"?#\\\"<>{}|^`".contains(c);
    let (scheme, rest) = text.split_once("://").ok_or_else(invalid)?;
    let authority = rest.split('/').next().unwrap_or_default();
    let host = host(authority);
    let is_safe = scheme == "https" || (scheme == "http" && is_plain_host(host));
    let is_named = !host.is_empty() && !authority.contains('@') && text.chars().all(is_plain);
    match is_safe && is_named && text.len() <= LIMIT {
        true => Ok(text.trim_end_matches('/').to_owned().into()),
        false => Err(invalid()),
    }
}

/// The host of an authority, without its port.
pub(crate) fn host(authority: &str) -> &str {
    let split = authority.rsplit_once(':');
    split.map_or(authority, |(host, _)| host)
}

/// Whether a host is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_addresses_that_protect_tokens() {
        for (text, is_safe) in [
            ("https://kms.example/", true),
            ("http://127.0.0.1:8080", true),
            ("http://[::1]:8080/x", true),
            ("http://localhost", true),
            ("http://kms.example", false),
            ("http://127.0.0.1.example", false),
            ("http://127.0.0.1@kms.example", false),
            ("http://localhost:80@kms.example", false),
            ("https://kms.example?x=", false),
            ("https://kms.example/#", false),
            ("https://", false),
            ("ftp://kms.example", false),
            ("kms.example", false),
        ] {
            assert_eq!(Endpoint::parse(text).is_ok(), is_safe, "{text}");
        }
    }

    #[test]
    fn plain_http_reaches_googles_metadata_server_only() {
        for host in METADATA_HOSTS {
            let address = format!("http://{host}");
            assert!(Endpoint::parse(&address).is_err());
            assert_eq!(MetadataServer::parse(&address).unwrap().as_str(), address);
        }
        assert!(MetadataServer::parse("http://169.254.169.253").is_err());
        assert!(MetadataServer::parse("http://127.0.0.1:80/").is_ok());
    }
}
