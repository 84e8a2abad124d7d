//! The exchange of an attestation token for an access token (Security Token Service, `POST /v1/token`, RFC 8693).

use std::time::Duration;

use content::Digest;
use serde::Deserialize;

use super::Federation;
use crate::error::{Error, Refusal};
use crate::http::{Answer, OAuthError, Request, Slow};
use crate::identity::{self, Identity};
use crate::secret::Secret;
use crate::tee::Tee;

/// The lifetime of a token whose provider does not state it, in seconds: too short rather than too long.
const LIFETIME: u64 = 300;

/// An access token.
pub(super) struct Granted {
    pub(super) token: Secret,
    pub(super) lifetime: Duration,
}

#[derive(Deserialize)]
struct WireGranted {
    access_token: Secret,
    token_type: String,
    expires_in: Option<u64>,
}

/// A new access token for the container of `image`.
pub(super) fn token(tee: &Tee, image: Digest, federation: &Federation) -> Result<Granted, Error> {
    let token = attestation(tee, image, &federation.audience)?;
    let doing = format!("exchanging token of {}", federation.party);
    let audience = federation.provider.audience();
    let form = [
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ),
        ("audience", &audience),
        ("scope", "https://www.googleapis.com/auth/cloud-platform"),
        (
            "requested_token_type",
            "urn:ietf:params:oauth:token-type:access_token",
        ),
        ("subject_token", token.text().unwrap_or_default()),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
    ];
    let url = format!("{}/v1/token", tee.services().sts.as_str());
    let request = Request::form(url, &form).when_slow(Slow::Again);
    let answer = tee.network().call(&doing, &request)?;
    match answer.status() {
        400 | 401 | 403 => Err(refusal(&answer, doing)),
        _ => granted(answer.json(&doing)?, &doing),
    }
}

/// An attestation token for `audience` about `image`.
fn attestation(tee: &Tee, image: Digest, audience: &str) -> Result<Secret, Error> {
    let (token, claims) = tee.attest(audience)?;
    let identity = Identity::new(claims).map_err(|error| identity::refused(audience, error))?;
    let found = identity.image_digest();
    match found == image {
        true => Ok(token),
        false => {
            let other = format!("expected image {image}, found {found}");
            Err(identity::refused(audience, other).into())
        }
    }
}

fn granted(granted: WireGranted, doing: &str) -> Result<Granted, Error> {
    match granted.token_type.eq_ignore_ascii_case("bearer") {
        true => Ok(Granted {
            token: granted.access_token,
            lifetime: Duration::from_secs(granted.expires_in.unwrap_or(LIFETIME)),
        }),
        false => Err(Error::incomplete(doing, "token_type")),
    }
}

fn refusal(answer: &Answer, doing: String) -> Error {
    match answer.oauth_error() {
        Some(OAuthError {
            error,
            error_description,
        }) => Refusal::new(doing, format_args!("{error}: {error_description}")).into(),
        None => answer.error(&doing),
    }
}
