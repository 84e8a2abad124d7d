//! The launcher of the container, which hands out attestation tokens over a Unix socket (google/go-tpm-tools,
//! `launcher/teeserver`).

use std::path::Path;

use confidential::claims::DEFAULT_AUDIENCE;
use serde_json::json;

use crate::error::Error;
use crate::http::{Client, Request, Slow};
use crate::secret::Secret;

/// The path of the launcher's socket.
pub const SOCKET: &str = "/run/container_launcher/teeserver.sock";
/// The address of tokens; only its path matters.
const TOKEN: &str = "http://localhost/v1/token";
/// The most nonces in a token (Confidential Space, "Retrieve attestation tokens").
const NONCES: usize = 6;
/// The allowed length of a nonce, in bytes.
const NONCE: std::ops::RangeInclusive<usize> = 10..=74;
/// The largest length of an audience, in bytes.
const AUDIENCE: usize = 512;

/// The kind of an attestation token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenKind {
    /// It is verified with the keys that its issuer publishes. Security Token Service takes this kind.
    Oidc,
    /// It is verified offline, with the certificates in its header and Google's root.
    Pki,
}

/// The token that a relying party wants.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenRequest {
    audience: String,
    nonces: Vec<String>,
    kind: TokenKind,
}

/// A request that the launcher would refuse, or that makes a token which others could replay.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidTokenRequest {
    /// The audience is empty or too long.
    #[error("expected an audience of 1 to {AUDIENCE} bytes")]
    Audience,
    /// The audience is that of all tokens that were requested without one.
    #[error("{DEFAULT_AUDIENCE:?} is the default audience of all tokens")]
    DefaultAudience,
    /// There are too many nonces, or one is too short or too long.
    #[error("expected at most {NONCES} nonces of 10 to 74 bytes")]
    Nonces,
}

impl TokenRequest {
    /// A token for `audience` that contains `nonces`. If a nonce is what another party asked for, derive it together with a
    /// purpose of your own, and name that party as the audience; otherwise the token can be passed on as an answer to others.
    ///
    /// # Errors
    /// The launcher would refuse it, or the audience is [`DEFAULT_AUDIENCE`].
    pub fn new(
        audience: &str,
        nonces: &[String],
        kind: TokenKind,
    ) -> Result<Self, InvalidTokenRequest> {
        let are_right =
            nonces.len() <= NONCES && nonces.iter().all(|nonce| NONCE.contains(&nonce.len()));
        match audience {
            DEFAULT_AUDIENCE => Err(InvalidTokenRequest::DefaultAudience),
            _ if !(1..=AUDIENCE).contains(&audience.len()) => Err(InvalidTokenRequest::Audience),
            _ if !are_right => Err(InvalidTokenRequest::Nonces),
            _ => Ok(Self {
                audience: audience.to_owned(),
                nonces: nonces.to_owned(),
                kind,
            }),
        }
    }

    /// The audience.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// The nonces.
    pub fn nonces(&self) -> &[String] {
        &self.nonces
    }
}

/// A client of the launcher.
pub(crate) struct Launcher(Client<'static>);

impl Launcher {
    pub(crate) fn at(socket: &Path) -> Self {
        Self(Client::unix(socket))
    }

    /// Makes the launcher look for signatures. It does so only when the default token is requested, and uses the signatures
    /// that it found for all later tokens.
    pub(crate) fn refresh_signatures(&self) -> Result<(), Error> {
        let doing = "requesting the default token from the launcher";
        let answer = self
            .0
            .call(doing, &Request::get(TOKEN).when_slow(Slow::Again))?;
        answer.ok(doing).map(drop)
    }

    pub(crate) fn token(&self, request: &TokenRequest) -> Result<Secret, Error> {
        let TokenRequest {
            audience,
            nonces,
            kind,
        } = request;
        let doing = format!("requesting a token for {audience} from the launcher");
        let kind = match kind {
            TokenKind::Oidc => "OIDC",
            TokenKind::Pki => "PKI",
        };
        let options = json!({"audience": audience, "nonces": nonces, "token_type": kind});
        let request = Request::json(TOKEN, &options)?.when_slow(Slow::Again);
        let answer = self.0.call(&doing, &request)?;
        let body = answer.ok(&doing)?.into_body();
        Ok(Secret::new(body.bytes().trim_ascii().to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_for_no_token_that_fits_everyone() {
        let new = |audience: &str, nonces: &[String]| {
            TokenRequest::new(audience, nonces, TokenKind::Oidc).map(drop)
        };
        let nonce = |length| "n".repeat(length);
        assert_eq!(new("a", &[nonce(10), nonce(74)]), Ok(()));
        assert_eq!(
            new(DEFAULT_AUDIENCE, &[]),
            Err(InvalidTokenRequest::DefaultAudience)
        );
        for audience in [String::new(), "a".repeat(513)] {
            assert_eq!(new(&audience, &[]), Err(InvalidTokenRequest::Audience));
        }
        for nonces in [vec![nonce(9)], vec![nonce(75)], vec![nonce(10); 7]] {
            assert_eq!(new("a", &nonces), Err(InvalidTokenRequest::Nonces));
        }
    }
}
