//! What a party's identity provider grants to this image: an access token, and with it the party's keys, secrets and objects.

mod exchange;
mod jwt;
mod kms;
mod secret_manager;
mod sign;
mod storage;

use std::time::Duration;

use content::Digest;
use google::identity::Provider;

use crate::clock::Clock;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::http::{Answer, Client, Request};
use crate::secret::Secret;
use crate::services::Services;
use crate::tally::Bound;
use crate::tee::Tee;

pub use sign::{Algorithm, SigningKey};

/// A party's identity provider, and the audience that it accepts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Federation {
    /// The name of the party, for messages.
    pub party: String,
    /// The audience of attestation tokens for this party, and for no other.
    pub audience: String,
    /// The identity provider.
    pub provider: Provider,
}

/// The access that a party grants to this image, until its token expires. There is none without late binding.
pub struct Access<'a> {
    federation: Federation,
    token: Secret,
    /// When the token was issued, by the clock, and how long it is valid.
    issued: Duration,
    lifetime: Duration,
    image: Digest,
    services: Services,
    network: Client<'a>,
    clock: &'a dyn Clock,
}

impl<'a> Tee<'a> {
    /// Exchanges a new attestation token for an access token of a party (Security Token Service, RFC 8693).
    ///
    /// # Errors
    /// The launcher does not answer, or its token is invalid or for another image; the provider refuses the token.
    pub fn exchange(&self, bound: &Bound, federation: &Federation) -> Result<Access<'a>, Error> {
        let image = bound.image_digest();
        let issued = self.clock().elapsed();
        let exchange::Granted { token, lifetime } = exchange::token(self, image, federation)?;
        Ok(Access {
            federation: federation.clone(),
            token,
            issued,
            lifetime,
            image,
            services: self.services().clone(),
            network: self.network().until_any(None),
            clock: self.clock(),
        })
    }
}

impl<'a> Access<'a> {
    /// The access token, to be sent as a bearer token to Google's services, and to no other service.
    pub fn token(&self) -> &Secret {
        &self.token
    }

    /// The name of the party.
    pub fn party(&self) -> &str {
        &self.federation.party
    }

    /// Whether 80 % of the token's lifetime have passed.
    pub fn is_stale(&self) -> bool {
        let age = self.clock.elapsed().saturating_sub(self.issued);
        age >= self.lifetime / 5 * 4
    }

    /// Renews the token if 80 % of its lifetime have passed. Call it before each use in a program that runs for long.
    ///
    /// # Errors
    /// As [`Tee::exchange`]; the old token is kept.
    pub fn fresh(&mut self, tee: &Tee) -> Result<(), Error> {
        if !self.is_stale() {
            return Ok(());
        }
        let issued = self.clock.elapsed();
        let exchange::Granted { token, lifetime } =
            exchange::token(tee, self.image, &self.federation)?;
        (self.token, self.issued, self.lifetime) = (token, issued, lifetime);
        Ok(())
    }

    /// Makes all later calls end at `deadline`.
    pub fn end_at(&mut self, deadline: Deadline<'a>) {
        self.network = self.network.until(deadline);
    }

    /// Sends a request with the access token.
    fn call(&self, doing: &str, request: Request) -> Result<Answer, Error> {
        self.network.call(doing, &request.bearer(&self.token))
    }
}

/// An answer that does not refuse.
fn accepted(answer: Answer, doing: &str) -> Result<Answer, Error> {
    match answer.status() {
        401 | 403 => Err(crate::error::Refusal::new(doing, answer.message()).into()),
        _ => answer.ok(doing),
    }
}
