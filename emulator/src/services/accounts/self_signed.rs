//! A JWT that a service account has signed itself, in place of an access token (Google AIP-4111).

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use content::{json, limits};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Seconds that a self-signed token may last (Google, self-signed JWTs).
const LONGEST: u64 = 3600;
/// Seconds that clocks may differ.
const SKEW: u64 = 60;
/// What a token may be used for: everything that its account may do.
pub(super) const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// A service that asks who calls.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Service {
    /// Identity and access management.
    Iam,
    /// Key management.
    Kms,
    /// Messages.
    PubSub,
}

impl Service {
    /// Its public address, by which self-signed tokens name it wherever it answers.
    fn address(self) -> &'static str {
        match self {
            Self::Iam => "https://iam.googleapis.com",
            Self::Kms => "https://cloudkms.googleapis.com",
            Self::PubSub => "https://pubsub.googleapis.com",
        }
    }

    /// Whether an access token with these scopes reaches it.
    pub(super) fn is_within(self, scopes: &[String]) -> bool {
        let own = match self {
            Self::Iam => "https://www.googleapis.com/auth/iam",
            Self::Kms => "https://www.googleapis.com/auth/cloudkms",
            Self::PubSub => "https://www.googleapis.com/auth/pubsub",
        };
        scopes.iter().any(|scope| scope == SCOPE || scope == own)
    }
}

/// A token that is made like one; nothing in it is believed yet.
pub(super) struct SelfSigned<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    head: Head,
    body: Body,
}

impl<'a> SelfSigned<'a> {
    /// Takes a bearer token apart.
    pub(super) fn parse(bearer: &'a str) -> Option<Self> {
        let (signed, signature) = bearer.rsplit_once('.')?;
        let (head, body) = signed.split_once('.')?;
        Some(Self {
            signed,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
            head: part(head)?,
            body: part(body)?,
        })
    }

    /// Which key it says that it is signed by.
    pub(super) fn key_id(&self) -> &str {
        &self.head.kid
    }

    /// Who says that it has signed.
    pub(super) fn issuer(&self) -> &str {
        &self.body.iss
    }

    /// Whom it is for; empty if it does not say.
    pub(super) fn audience(&self) -> &str {
        self.body.aud.as_deref().unwrap_or_default()
    }

    /// What it may be used for, separated by spaces.
    pub(super) fn scopes(&self) -> &str {
        self.body.scope.as_deref().unwrap_or_default()
    }

    /// Whether it speaks for its issuer, and for no other account.
    pub(super) fn is_of_its_issuer(&self) -> bool {
        let body = &self.body;
        body.sub.as_ref().is_none_or(|sub| *sub == body.iss)
    }

    /// Whether it is for now, and not for longer than one may be.
    pub(super) fn lasts(&self, now: u64) -> bool {
        let Body { iat, exp, .. } = self.body;
        let latest = iat.saturating_add(LONGEST + SKEW);
        iat <= now + SKEW && now < exp && exp <= latest
    }

    /// Whether this key has signed it.
    pub(super) fn is_signed_by(&self, public_key: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key);
        let signature = key.verify(self.signed.as_bytes(), &self.signature);
        self.head.alg == "RS256" && signature.is_ok()
    }

    /// Whether it is `owner`'s, for `service` and for now, and signed by `public_key`.
    pub(super) fn holds(&self, owner: &str, public_key: &[u8], service: Service, now: u64) -> bool {
        let is_own = self.issuer() == owner && self.is_of_its_issuer();
        is_own && self.lasts(now) && self.is_for(service) && self.is_signed_by(public_key)
    }

    /// A scope stands for all services, an audience for one (Google AIP-4111).
    fn is_for(&self, service: Service) -> bool {
        let named = self.audience().strip_prefix(service.address());
        let is_named = named.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        is_named || self.scopes().split(' ').any(|scope| scope == SCOPE)
    }
}

#[derive(Deserialize)]
struct Head {
    alg: String,
    kid: String,
}

#[derive(Deserialize)]
struct Body {
    iss: String,
    sub: Option<String>,
    aud: Option<String>,
    scope: Option<String>,
    iat: u64,
    exp: u64,
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    json::parse(&bytes, limits::TOKEN).ok()
}
