//! The identity of this container: what its attestation token states, verified as by any relying party.

use std::collections::BTreeSet;
use std::fmt::Display;

use confidential::jwks::KeySet;
use confidential::token::BadSignature;
use confidential::{Claims, Token};
use content::Digest;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

use crate::error::Refusal;

/// What an attestation token states about this container. Whether it is a production image on confidential hardware is not
/// checked here: each party's identity provider checks it for every image, before a key can be used.
#[derive(Clone, Debug)]
pub struct Identity {
    image_digest: Digest,
    claims: Claims,
}

impl Identity {
    pub(crate) fn new(claims: Claims) -> Result<Self, confidential::Error> {
        Ok(Self {
            image_digest: claims.image_digest()?,
            claims,
        })
    }

    /// The digest of the measured image.
    pub fn image_digest(&self) -> Digest {
        self.image_digest
    }

    /// All claims.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The time at which the token was issued, in Unix seconds. Unlike the machine's clock, it is not the operator's.
    pub fn issued_at(&self) -> u64 {
        self.claims.issued_at
    }

    /// The digests, in hex, of the keys that have signed the image, as far as the attestation service knows.
    pub fn signers(&self) -> BTreeSet<&str> {
        let container = self.claims.submods.container.iter();
        let signatures = container.flat_map(|container| &container.image_signatures);
        signatures.map(|one| one.key_id.as_str()).collect()
    }
}

/// The token for `audience` is invalid.
pub(crate) fn refused(audience: &str, reason: impl Display) -> Refusal {
    Refusal::new(format!("checking attestation token for {audience}"), reason)
}

/// Verifies the signature of a token (JWT, RS256) and returns its claims. The caller must still check
/// issuer, audience and time.
///
/// # Errors
/// The token is malformed, its key is not in `keys`, or its signature is invalid.
pub fn verify(token: &str, keys: &KeySet) -> Result<Claims, confidential::Error> {
    let token = Token::parse(token)?;
    let key = keys.key_of(&token)?;
    let key = RsaPublicKeyComponents {
        n: &key.modulus,
        e: &key.exponent,
    };
    token.verify(|signing_input, signature| {
        let verified = key.verify(&RSA_PKCS1_2048_8192_SHA256, signing_input, signature);
        verified.map_err(|_| BadSignature)
    })
}
