//! Checks of the claims.

use content::Digest;

use super::{CONFIDENTIAL_SPACE, Claims, Container};
use crate::Error;

/// The most seconds by which the issuer's clock may be ahead of the local one.
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
        missing.map_or(Ok(()), |nonce| Err(Error::Nonce(nonce.clone())))
    }

    /// Checks that the machine runs Confidential Space, and returns the measured container.
    ///
    /// # Errors
    /// `swname` is not [`CONFIDENTIAL_SPACE`], or there is no container.
    pub fn container(&self) -> Result<&Container, Error> {
        match self.software_name.as_deref() {
            Some(CONFIDENTIAL_SPACE) => {}
            found => {
                return Err(Error::Software {
                    found: found.map(str::to_owned),
                });
            }
        }
        self.submods.container.as_ref().ok_or(Error::Container)
    }

    /// The digest of the measured image.
    ///
    /// # Errors
    /// As [`Claims::container`], or the digest is invalid.
    pub fn image_digest(&self) -> Result<Digest, Error> {
        self.container()?
            .image_digest
            .parse()
            .map_err(Error::ImageDigest)
    }

    fn check_issuer(&self, expected: &str) -> Result<(), Error> {
        match self.issuer == expected {
            true => Ok(()),
            false => Err(Error::Issuer {
                expected: expected.to_owned(),
                found: self.issuer.clone(),
            }),
        }
    }

    fn check_audience(&self, expected: &str) -> Result<(), Error> {
        match self.audience.0.as_slice() {
            [one] if one == expected => Ok(()),
            found => Err(Error::Audience {
                expected: expected.to_owned(),
                found: found.to_vec(),
            }),
        }
    }

    fn check_time(&self, at: u64) -> Result<(), Error> {
        if at >= self.expires_at {
            return Err(Error::Expired {
                at,
                expires_at: self.expires_at,
            });
        }
        let from = self.issued_at.max(self.not_before.unwrap_or_default());
        match from > at.saturating_add(CLOCK_SKEW) {
            true => Err(Error::NotYet { at, from }),
            false => Ok(()),
        }
    }
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
        assert!(matches!(
            check(&[], 4600),
            Err(Error::Expired {
                expires_at: 4600,
                ..
            })
        ));
        let late = [("\"nbf\":1000", "\"nbf\":2000")];
        assert!(matches!(
            check(&late, 1500),
            Err(Error::NotYet { from: 2000, .. })
        ));
    }

    #[test]
    fn is_for_one_reader_of_one_issuer() {
        let slash = [(ISSUER, "https://confidentialcomputing.googleapis.com/")];
        assert!(matches!(check(&slash, 2000), Err(Error::Issuer { .. })));
        let both = [(
            "\"https://me.example\"",
            "[\"https://me.example\",\"https://you.example\"]",
        )];
        assert!(matches!(check(&both, 2000), Err(Error::Audience { .. })));
        let other = [("\"https://me.example\"", "\"https://sts.googleapis.com\"")];
        assert!(matches!(check(&other, 2000), Err(Error::Audience { .. })));
        assert!(matches!(
            check(&[("\"two\"", "\"three\"")], 2000),
            Err(Error::Nonce(_))
        ));
    }

    #[test]
    fn has_a_digest_only_in_confidential_space() {
        assert_eq!(
            claims(&[]).unwrap().image_digest().unwrap().to_string(),
            DIGEST
        );
        let gce = claims(&[("CONFIDENTIAL_SPACE", "GCE")]).unwrap();
        assert!(matches!(gce.image_digest(), Err(Error::Software { .. })));
        let bare = claims(&[("container", "other")]).unwrap();
        assert!(matches!(bare.image_digest(), Err(Error::Container)));
        let short = claims(&[(DIGEST, "sha256:ac91")]).unwrap();
        assert!(matches!(short.image_digest(), Err(Error::ImageDigest(_))));
    }
}
