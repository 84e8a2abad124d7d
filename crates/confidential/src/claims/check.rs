//! Checks of the claims.

use std::fmt;

use content::Digest;

use super::{CONFIDENTIAL_SPACE, Claims, Container, READING};
use crate::Error;

/// The maximum time, in seconds, by which the issuer's clock may be ahead of the local one.
const CLOCK_SKEW: u64 = 10;

/// The values that a relying party expects in a token.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The issuer.
    pub issuer: &'a str,
    /// The audience, which must be the only one.
    pub audience: &'a str,
    /// Nonces that the token must contain, among others.
    pub nonces: &'a [String],
    /// The time at which the token must be valid, in Unix seconds.
    pub at: u64,
}

impl Claims {
    /// Checks issuer, audience, time and nonces.
    ///
    /// # Errors
    /// The first of these that is not as expected.
    pub fn check(&self, expected: &Expected) -> Result<(), Error> {
        self.check_issuer(expected.issuer)?;
        self.check_audience(expected.audience)?;
        self.check_time(expected.at)?;
        let missing = expected.nonces.iter().find(|nonce| !self.nonces.has(nonce));
        missing.map_or(Ok(()), |nonce| {
            Err(Error::new(
                "checking nonces",
                format!("{nonce:?} is missing"),
            ))
        })
    }

    /// Checks that the machine runs Confidential Space, and returns the measured container.
    ///
    /// # Errors
    /// `swname` is not [`CONFIDENTIAL_SPACE`], or there is no container.
    pub fn container(&self) -> Result<&Container, Error> {
        match self.software_name.as_deref() {
            Some(CONFIDENTIAL_SPACE) => {}
            found => {
                let found = found.unwrap_or("no name");
                return Err(differs("checking swname", CONFIDENTIAL_SPACE, &found));
            }
        }
        let container = self.submods.container.as_ref();
        container.ok_or_else(|| Error::new(READING, "no container"))
    }

    /// The digest of the measured image.
    ///
    /// # Errors
    /// As [`Claims::container`], or the digest is invalid.
    pub fn image_digest(&self) -> Result<Digest, Error> {
        self.container()?
            .image_digest
            .parse()
            .map_err(Error::of("reading claims: image_digest"))
    }

    fn check_issuer(&self, expected: &str) -> Result<(), Error> {
        match self.issuer == expected {
            true => Ok(()),
            false => Err(issuer_differs(expected, &self.issuer)),
        }
    }

    fn check_audience(&self, expected: &str) -> Result<(), Error> {
        match self.audience.0.as_slice() {
            [one] if one == expected => Ok(()),
            found => Err(differs("checking audience", expected, &found)),
        }
    }

    fn check_time(&self, at: u64) -> Result<(), Error> {
        if at >= self.expires_at {
            return Err(Error::new(
                "checking time",
                format!(
                    "expired at {}, the time is {at} (Unix seconds)",
                    self.expires_at
                ),
            ));
        }
        let from = self.issued_at.max(self.not_before.unwrap_or_default());
        match from > at.saturating_add(CLOCK_SKEW) {
            true => Err(Error::new(
                "checking time",
                format!("not valid before {from}, the time is {at} (Unix seconds)"),
            )),
            false => Ok(()),
        }
    }
}

fn differs(doing: &'static str, expected: &str, found: &dyn fmt::Debug) -> Error {
    Error::new(doing, format!("expected {expected}, found {found:?}"))
}

/// The issuer of a token or of a discovery document is another.
pub(crate) fn issuer_differs(expected: &str, found: &str) -> Error {
    differs("checking issuer", expected, &found)
}

#[cfg(test)]
mod tests {
    use super::super::ISSUER;
    use super::super::tests::{DIGEST, claims};
    use super::*;

    fn check(edit: &[(&str, &str)], at: u64) -> Result<(), Error> {
        let nonces = ["two".to_owned()];
        let audience = "https://me.example";
        claims(edit)?.check(&Expected {
            issuer: ISSUER,
            audience,
            nonces: &nonces,
            at,
        })
    }

    #[test]
    fn is_valid_between_its_times() {
        for (at, holds) in [
            (989, false),
            (990, true),
            (1000, true),
            (4599, true),
            (4600, false),
        ] {
            assert_eq!(check(&[], at).is_ok(), holds, "{at}");
        }
        let refused = |edit: &_, at| check(edit, at).unwrap_err().to_string();
        assert_eq!(
            refused(&[], 4600),
            "checking time: expired at 4600, the time is 4600 (Unix seconds)"
        );
        let late = [("\"nbf\":1000", "\"nbf\":2000")];
        assert_eq!(
            refused(&late, 1500),
            "checking time: not valid before 2000, the time is 1500 (Unix seconds)"
        );
    }

    #[test]
    fn is_for_one_reader_of_one_issuer() {
        for (from, to, expected) in [
            (
                ISSUER,
                "https://confidentialcomputing.googleapis.com/",
                r#"checking issuer: expected https://confidentialcomputing.googleapis.com, found "https://confidentialcomputing.googleapis.com/""#,
            ),
            (
                "\"https://me.example\"",
                "[\"https://me.example\",\"https://you.example\"]",
                r#"checking audience: expected https://me.example, found ["https://me.example", "https://you.example"]"#,
            ),
            (
                "\"https://me.example\"",
                "\"https://sts.googleapis.com\"",
                r#"checking audience: expected https://me.example, found ["https://sts.googleapis.com"]"#,
            ),
            (
                "\"two\"",
                "\"three\"",
                r#"checking nonces: "two" is missing"#,
            ),
        ] {
            let error = check(&[(from, to)], 2000).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn has_a_digest_only_in_confidential_space() {
        assert_eq!(
            claims(&[]).unwrap().image_digest().unwrap().to_string(),
            DIGEST
        );
        for (from, to, expected) in [
            (
                "CONFIDENTIAL_SPACE",
                "GCE",
                r#"checking swname: expected CONFIDENTIAL_SPACE, found "GCE""#,
            ),
            ("container", "other", "reading claims: no container"),
            (
                DIGEST,
                "sha256:ac91",
                r#"reading claims: image_digest: parsing digest: expected sha256:<64 lower-case hex digits>, found "ac91""#,
            ),
        ] {
            let error = claims(&[(from, to)]).unwrap().image_digest().unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}
