//! Who am I? The attestation tokens of this very container, verified as any stranger would.

use std::collections::BTreeSet;
use std::path::Path;

use confidential::Token;
use confidential::claims::{Claims, Expected};
use confidential::jwks::{Discovery, KeySet};
use confidential::token::BadSignature;
use content::Digest;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::json;

use crate::platform::http::{Client, Content};
use crate::platform::{Error, Refusal, Secret};
use crate::terms::{Endpoint, Terms};

/// Where the launcher listens (Confidential Space, `teeserver`).
pub const SOCKET: &str = "/run/container_launcher/teeserver.sock";

/// What the TEE says about this container.
pub struct Identity {
    /// The digest of the image that was measured.
    pub image_digest: Digest,
    /// The keys that have signed it, as hex SHA-256: those that every token names.
    pub signers: BTreeSet<String>,
    /// One token per collaborator, in the order of the terms, each for that one alone.
    pub tokens: Vec<Secret>,
}

/// The launcher behind its socket.
pub struct Launcher {
    client: Client<'static>,
}

impl Launcher {
    /// The launcher that listens on the Unix socket `path`.
    pub fn at(path: &Path) -> Self {
        Self {
            client: Client::unix(path),
        }
    }

    /// Makes the launcher look for signatures: it does so only when the default token is asked for,
    /// and uses what it found for all later ones.
    fn refresh_signatures(&self) -> Result<(), Error> {
        let doing = "asking the launcher for the default token";
        self.client
            .call(doing, TOKEN_URL, None, &Content::None)?
            .ok(doing)
            .map(drop)
    }

    fn token(&self, audience: &str, nonce: &str) -> Result<Secret, Error> {
        let doing = format!("asking the launcher for a token for {audience}");
        let options = json!({"audience": audience, "nonces": [nonce], "token_type": "OIDC"});
        let answer = self
            .client
            .call(&doing, TOKEN_URL, None, &Content::json(&options)?)?;
        let body = answer.ok(&doing)?.into_body();
        Ok(Secret::new(body.bytes().trim_ascii().to_vec()))
    }
}

const TOKEN_URL: &str = "http://localhost/v1/token";

/// Obtains and verifies one token per collaborator; `now` is in Unix seconds.
///
/// # Errors
/// The launcher or the issuer cannot be asked; a token does not hold, or is for another image.
pub fn establish(
    launcher: &Launcher,
    network: &Client,
    terms: &Terms,
    now: u64,
) -> Result<Identity, Error> {
    let keys = issuer_keys(network, terms)?;
    launcher.refresh_signatures()?;
    let mut identity: Option<Identity> = None;
    for collaborator in &terms.collaborators {
        let audience = &collaborator.audience;
        let nonce = nonce()?;
        let token = launcher.token(audience, &nonce)?;
        let expected = Expected {
            issuer: &terms.issuer,
            audience,
            nonces: &[nonce],
            at: now,
        };
        let seen = check(&token, &keys, &expected);
        let seen = seen.map_err(|source| Refusal::Token {
            audience: audience.clone(),
            source,
        })?;
        identity = Some(join(identity, seen, audience, token)?);
    }
    // The terms have at least one collaborator.
    identity.ok_or(Error::Incomplete {
        doing: "reading terms".into(),
        missing: "collaborator",
    })
}

/// The keys that the issuer signs with, by way of what it says about itself.
fn issuer_keys(network: &Client, terms: &Terms) -> Result<KeySet, Error> {
    let doing = "reading the issuer's keys";
    let get = |url: &str| network.call(doing, url, None, &Content::None)?.ok(doing);
    let refused = |source| Refusal::Token {
        audience: "everyone".into(),
        source,
    };
    let document = get(terms.discovery.as_str())?.into_body();
    let discovery = Discovery::parse(document.bytes(), &terms.issuer).map_err(refused)?;
    let keys = Endpoint::parse(&discovery.jwks_uri);
    let keys = keys.map_err(|_| Error::Incomplete {
        doing: doing.into(),
        missing: "jwks_uri",
    })?;
    let keys = get(keys.as_str())?.into_body();
    Ok(KeySet::parse(keys.bytes()).map_err(refused)?)
}

/// What one token says: image and signers.
struct Seen {
    image_digest: Digest,
    signers: BTreeSet<String>,
}

/// Whether it is a production image on hardware that keeps the operator out is not asked here: each
/// collaborator asks that at its own provider, before any key can be used, and for every image.
fn check(token: &Secret, keys: &KeySet, expected: &Expected) -> Result<Seen, confidential::Error> {
    let claims = verify(token.text().unwrap_or_default(), keys)?;
    claims.check(expected)?;
    let signatures = &claims.container()?.image_signatures;
    Ok(Seen {
        image_digest: claims.image_digest()?,
        signers: signatures
            .iter()
            .map(|signature| signature.key_id.clone())
            .collect(),
    })
}

/// Verifies the signature of a token and gives its claims; issuer, audience and time are still to
/// be checked.
///
/// # Errors
/// No token of this form, no such key, or a signature that does not hold.
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

fn join(
    identity: Option<Identity>,
    seen: Seen,
    audience: &str,
    token: Secret,
) -> Result<Identity, Refusal> {
    let Seen {
        image_digest,
        signers,
    } = seen;
    let Some(mut identity) = identity else {
        return Ok(Identity {
            image_digest,
            signers,
            tokens: vec![token],
        });
    };
    if identity.image_digest != image_digest {
        return Err(Refusal::OtherImage {
            audience: audience.to_owned(),
            expected: identity.image_digest,
            found: image_digest,
        });
    }
    identity.signers.retain(|key| signers.contains(key));
    identity.tokens.push(token);
    Ok(identity)
}

/// Something that no earlier token can hold: 32 hex digits.
fn nonce() -> Result<String, Error> {
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::Randomness)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
