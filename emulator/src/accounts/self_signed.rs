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

    /// Whether it is `owner`'s, for `service` and for now, and signed by `public_key`.
    pub(super) fn holds(&self, owner: &str, public_key: &[u8], service: Service, now: u64) -> bool {
        let body = &self.body;
        let lasts =
            body.iat <= now + SKEW && now < body.exp && body.exp <= body.iat + LONGEST + SKEW;
        let is_own = body.iss == owner && body.sub.as_ref().is_none_or(|sub| sub == owner);
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key);
        let is_signed = key.verify(self.signed.as_bytes(), &self.signature).is_ok();
        self.head.alg == "RS256" && lasts && is_own && body.is_for(service) && is_signed
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

impl Body {
    /// A scope stands for all services, an audience for one (Google AIP-4111).
    fn is_for(&self, service: Service) -> bool {
        let audience = self.aud.as_deref().unwrap_or_default();
        let named = audience.strip_prefix(service.address());
        let is_named = named.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let scopes = self.scope.as_deref().unwrap_or_default();
        is_named || scopes.split(' ').any(|scope| scope == SCOPE)
    }
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    json::parse(&bytes, limits::TOKEN).ok()
}
