//! The machine and the services around it.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use confidential::Claims;
use confidential::claims::Expected;
use confidential::jwks::{Discovery, KeySet};

use crate::clock::Clock;
use crate::endpoint::Endpoint;
use crate::error::{Error, Refusal};
use crate::http::{Client, Request, Slow};
use crate::identity::{self, Identity};
use crate::launcher::{Launcher, SOCKET, TokenKind, TokenRequest};
use crate::nonce;
use crate::secret::Secret;
use crate::services::Services;

/// The audience of the token from which a program learns its own identity. No relying party accepts it.
const OWN_AUDIENCE: &str = "https://countersign.invalid/own-identity";

/// The launcher of this container, and the network.
pub struct Tee<'a> {
    launcher: Launcher,
    network: Client<'static>,
    services: Services,
    clock: &'a dyn Clock,
    /// The keys of the issuer, once they were fetched.
    keys: RefCell<Option<Rc<KeySet>>>,
}

impl<'a> Tee<'a> {
    /// The launcher of a container in Confidential Space, and Google's services.
    pub fn open(clock: &'a dyn Clock) -> Self {
        Self::at(Path::new(SOCKET), Services::default(), clock)
    }

    /// The launcher that listens on the Unix socket `socket`, and other services.
    pub fn at(socket: &Path, services: Services, clock: &'a dyn Clock) -> Self {
        Self {
            launcher: Launcher::at(socket),
            network: Client::network(),
            services,
            clock,
            keys: RefCell::default(),
        }
    }

    /// The clock.
    pub fn clock(&self) -> &'a dyn Clock {
        self.clock
    }

    /// The services.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// A client for services on the network.
    pub fn network(&self) -> &Client<'static> {
        &self.network
    }

    /// The identity of this container, by a new token that was verified.
    ///
    /// # Errors
    /// The launcher or the issuer does not answer, or the token is invalid.
    pub fn identity(&self) -> Result<Identity, Error> {
        let (_, claims) = self.attest(OWN_AUDIENCE)?;
        let refused = |error| identity::refused(OWN_AUDIENCE, error);
        Ok(Identity::new(claims).map_err(refused)?)
    }

    /// Makes the launcher look for signatures again, for the tokens that follow. That takes seconds, and if the registry does
    /// not answer, tokens have no signatures until the next time.
    ///
    /// # Errors
    /// The launcher does not answer.
    pub fn refresh_signatures(&self) -> Result<(), Error> {
        self.launcher.refresh_signatures()
    }

    /// A token for a relying party. It is not verified here; the relying party does.
    ///
    /// # Errors
    /// The launcher does not answer, or refuses.
    pub fn token(&self, request: &TokenRequest) -> Result<Secret, Error> {
        self.launcher.token(request)
    }

    /// A token for `audience` with a nonce of its own, and its claims, verified as by any relying party.
    pub(crate) fn attest(&self, audience: &str) -> Result<(Secret, Claims), Error> {
        let nonces = [nonce::new()?];
        let request = TokenRequest::new(audience, &nonces, TokenKind::Oidc)
            .map_err(|error| Error::system("requesting a token", error))?;
        let token = self.launcher.token(&request)?;
        let claims = self.verify(&token, audience)?;
        let expected = Expected {
            issuer: &self.services.issuer.name,
            audience,
            nonces: &nonces,
            at: self.clock.now(),
        };
        let checked = claims.check(&expected);
        checked.map_err(|error| identity::refused(audience, error))?;
        Ok((token, claims))
    }

    /// Verifies a token. The issuer's keys are fetched again if it has none that fits: they change every few weeks.
    fn verify(&self, token: &Secret, audience: &str) -> Result<Claims, Error> {
        let token = token.text().unwrap_or_default();
        let known = self.keys.borrow().clone();
        let verified = known.and_then(|keys| identity::verify(token, &keys).ok());
        if let Some(claims) = verified {
            return Ok(claims);
        }
        let keys = Rc::new(self.issuer_keys()?);
        let claims = identity::verify(token, &keys);
        let claims = claims.map_err(|error| identity::refused(audience, error))?;
        self.keys.replace(Some(keys));
        Ok(claims)
    }

    /// The keys of the issuer, found through its discovery document.
    fn issuer_keys(&self) -> Result<KeySet, Error> {
        let doing = "reading the issuer's keys";
        let get = |url: &str| {
            let request = Request::get(url).when_slow(Slow::Again);
            self.network.call(doing, &request)?.ok(doing)
        };
        let refused = |error| Refusal::new(doing, error);
        let issuer = &self.services.issuer;
        let document = get(issuer.discovery.as_str())?.into_body();
        let discovery = Discovery::parse(document.bytes(), &issuer.name).map_err(refused)?;
        let keys = Endpoint::parse(&discovery.jwks_uri);
        let keys = keys.map_err(|_| Error::incomplete(doing, "jwks_uri"))?;
        let keys = get(keys.as_str())?.into_body();
        Ok(KeySet::parse(keys.bytes()).map_err(refused)?)
    }
}
