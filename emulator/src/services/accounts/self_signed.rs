//! JWTs that a service account has signed, used in place of access tokens (Google AIP-4111).

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use content::{json, limits};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The largest lifetime of a self-signed JWT, in seconds (Google AIP-4111).
const LONGEST: u64 = 3600;
/// The accepted difference between clocks, in seconds.
const SKEW: u64 = 60;
/// The scope that includes all services.
pub(super) const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// A service that authenticates callers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Service {
    /// Identity and Access Management.
    Iam,
    /// Cloud KMS.
    Kms,
    /// Pub/Sub.
    PubSub,
    /// Secret Manager.
    SecretManager,
    /// Cloud Storage.
    Storage,
    /// Compute Engine.
    Compute,
    /// Cloud Logging.
    Logging,
    /// Resource Manager.
    ResourceManager,
    /// The attestation service.
    Attestation,
    /// Artifact Registry.
    ArtifactRegistry,
}

impl Service {
    /// The public address of the service, which self-signed JWTs name independent of the actual address.
    fn address(self) -> &'static str {
        match self {
            Self::Iam => "https://iam.googleapis.com",
            Self::Kms => "https://cloudkms.googleapis.com",
            Self::PubSub => "https://pubsub.googleapis.com",
            Self::SecretManager => "https://secretmanager.googleapis.com",
            Self::Storage => "https://storage.googleapis.com",
            Self::Compute => "https://compute.googleapis.com",
            Self::Logging => "https://logging.googleapis.com",
            Self::ResourceManager => "https://cloudresourcemanager.googleapis.com",
            Self::Attestation => "https://confidentialcomputing.googleapis.com",
            Self::ArtifactRegistry => "https://artifactregistry.googleapis.com",
        }
    }

    /// Whether these scopes include the service.
    pub fn is_within(self, scopes: &[String]) -> bool {
        let own: &[&str] = match self {
            Self::Iam => &["https://www.googleapis.com/auth/iam"],
            Self::Kms => &["https://www.googleapis.com/auth/cloudkms"],
            Self::PubSub => &["https://www.googleapis.com/auth/pubsub"],
            // They have no scopes of their own.
            Self::SecretManager
            | Self::ResourceManager
            | Self::Attestation
            | Self::ArtifactRegistry => &[],
            Self::Compute => &["https://www.googleapis.com/auth/compute"],
            Self::Logging => &[
                "https://www.googleapis.com/auth/logging.write",
                "https://www.googleapis.com/auth/logging.admin",
                "https://www.googleapis.com/auth/logging.read",
            ],
            Self::Storage => &[
                "https://www.googleapis.com/auth/devstorage.full_control",
                "https://www.googleapis.com/auth/devstorage.read_write",
            ],
        };
        let includes = |scope: &String| scope == SCOPE || own.contains(&scope.as_str());
        scopes.iter().any(includes)
    }
}

/// A parsed but not yet verified JWT.
pub(super) struct SelfSigned<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    head: Head,
    body: Body,
}

impl<'a> SelfSigned<'a> {
    /// Parses a bearer token; `None` if it is not a JWT of this kind.
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

    /// The ID of the key that the token names.
    pub(super) fn key_id(&self) -> &str {
        &self.head.kid
    }

    /// The issuer that the token names.
    pub(super) fn issuer(&self) -> &str {
        &self.body.iss
    }

    /// The audience; empty if the token has none.
    pub(super) fn audience(&self) -> &str {
        self.body.aud.as_deref().unwrap_or_default()
    }

    /// The scopes, separated by spaces; empty if the token has none.
    pub(super) fn scopes(&self) -> &str {
        self.body.scope.as_deref().unwrap_or_default()
    }

    /// Whether the subject is the issuer, if there is a subject.
    pub(super) fn is_of_its_issuer(&self) -> bool {
        let body = &self.body;
        body.sub.as_ref().is_none_or(|sub| *sub == body.iss)
    }

    /// Whether the token is valid at `now`, in Unix seconds, and its lifetime is not too long.
    pub(super) fn lasts(&self, now: u64) -> bool {
        let Body { iat, exp, .. } = self.body;
        let latest = iat.saturating_add(LONGEST + SKEW);
        iat <= now + SKEW && now < exp && exp <= latest
    }

    /// Whether the signature of the token was made with this key (RS256).
    pub(super) fn is_signed_by(&self, public_key: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key);
        let signature = key.verify(self.signed.as_bytes(), &self.signature);
        self.head.alg == "RS256" && signature.is_ok()
    }

    /// Whether the token is issued by `owner`, for `service`, valid at `now`, and signed by `public_key`.
    pub(super) fn holds(&self, owner: &str, public_key: &[u8], service: Service, now: u64) -> bool {
        let is_own = self.issuer() == owner && self.is_of_its_issuer();
        is_own && self.lasts(now) && self.is_for(service) && self.is_signed_by(public_key)
    }

    /// Whether the token is for the service: a scope includes all services, an audience one (Google AIP-4111).
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
