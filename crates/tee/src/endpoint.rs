//! Addresses of services.

use super::error::{InvalidTerms, TEXT_LIMIT};

/// An address that tokens may be sent to: https, or http to a loopback address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint(String);

impl Endpoint {
    /// Parses an address; slashes at its end are removed.
    ///
    /// # Errors
    /// Any other scheme, http to a host that is not loopback, user information, a query or a fragment,
    /// or more than 512 bytes.
    pub fn parse(text: &str) -> Result<Self, InvalidTerms> {
        let invalid = || {
            let found: String = text.chars().take(80).collect();
            InvalidTerms::of(format_args!(
                "invalid address {found:?}: expected https, or http to a loopback address"
            ))
        };
        let is_plain = |c: char| c.is_ascii_graphic() && !"?#\\\"<>{}|^`".contains(c);
        let (scheme, rest) = text.split_once("://").ok_or_else(invalid)?;
        let authority = rest.split('/').next().unwrap_or_default();
        let host = authority
            .rsplit_once(':')
            .map_or(authority, |(host, _)| host);
        let is_loopback = matches!(host, "127.0.0.1" | "localhost" | "[::1]");
        let is_safe = scheme == "https" || (scheme == "http" && is_loopback);
        let is_named = !host.is_empty() && !authority.contains('@') && text.chars().all(is_plain);
        match is_safe && is_named && text.len() <= TEXT_LIMIT {
            true => Ok(Self(text.trim_end_matches('/').to_owned())),
            false => Err(invalid()),
        }
    }

    /// The address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
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
}
