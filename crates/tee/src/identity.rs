//! The identity of this container: its attestation tokens, verified as by any relying party.

use std::collections::BTreeSet;
use std::fmt::Display;
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

/// The path of the launcher's Unix socket (Confidential Space, `teeserver`).
pub const SOCKET: &str = "/run/container_launcher/teeserver.sock";

/// What the attestation tokens state about this container.
pub struct Identity {
    /// The digest of the measured image.
    pub image_digest: Digest,
    /// The SHA-256 digests, in hex, of the keys that signed the image, as far as every token names them.
    pub signers: BTreeSet<String>,
    /// One token per collaborator, in the order of the terms, each with the audience of that collaborator.
    pub tokens: Vec<Secret>,
}

/// A client of the launcher.
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

    /// Makes the launcher look for signatures. It does so only when the default token is requested,
    /// and uses the signatures it found for all later tokens.
    fn refresh_signatures(&self) -> Result<(), Error> {
        let doing = "requesting the default token from the launcher";
        self.client
            .call(doing, TOKEN_URL, None, &Content::None)?
            .ok(doing)
            .map(drop)
    }

    fn token(&self, audience: &str, nonce: &str) -> Result<Secret, Error> {
        let doing = format!("requesting a token for {audience} from the launcher");
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
/// The launcher or the issuer does not answer; a token is invalid, or is for another image.
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
        let measured = check(&token, &keys, &expected);
        let measured = measured.map_err(|error| refused(audience, error))?;
        identity = Some(join(identity, measured, audience, token)?);
    }
    // The terms have at least one collaborator.
    identity.ok_or_else(|| Error::Terms("terms: no collaborator".into()))
}

/// The token for `audience` is invalid.
fn refused(audience: &str, reason: impl Display) -> Refusal {
    Refusal::new(format!("checking attestation token for {audience}"), reason)
}

/// The keys of the issuer, found through its discovery document.
fn issuer_keys(network: &Client, terms: &Terms) -> Result<KeySet, Error> {
    let doing = "reading the issuer's keys";
    let get = |url: &str| network.call(doing, url, None, &Content::None)?.ok(doing);
    let refused = |error| refused("all collaborators", error);
    let document = get(terms.discovery.as_str())?.into_body();
    let discovery = Discovery::parse(document.bytes(), &terms.issuer).map_err(refused)?;
    let keys = Endpoint::parse(&discovery.jwks_uri);
    let keys = keys.map_err(|_| Error::incomplete(doing, "jwks_uri"))?;
    let keys = get(keys.as_str())?.into_body();
    Ok(KeySet::parse(keys.bytes()).map_err(refused)?)
}

/// The image and the signers that one token names.
struct Measured {
    image_digest: Digest,
    signers: BTreeSet<String>,
}

/// Checks one token. Whether this is a production image on confidential hardware is not checked here:
/// each collaborator's identity provider checks it for every image, before a key can be used.
fn check(
    token: &Secret,
    keys: &KeySet,
    expected: &Expected,
) -> Result<Measured, confidential::Error> {
    let claims = verify(token.text().unwrap_or_default(), keys)?;
    claims.check(expected)?;
    let signatures = &claims.container()?.image_signatures;
    Ok(Measured {
        image_digest: claims.image_digest()?,
        signers: signatures
            .iter()
            .map(|signature| signature.key_id.clone())
            .collect(),
    })
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

fn join(
    identity: Option<Identity>,
    measured: Measured,
    audience: &str,
    token: Secret,
) -> Result<Identity, Refusal> {
    let Measured {
        image_digest,
        signers,
    } = measured;
    let Some(mut identity) = identity else {
        return Ok(Identity {
            image_digest,
            signers,
            tokens: vec![token],
        });
    };
    if identity.image_digest != image_digest {
        let expected = identity.image_digest;
        let other = format!("expected image {expected}, found {image_digest}");
        return Err(refused(audience, other));
    }
    identity.signers.retain(|key| signers.contains(key));
    identity.tokens.push(token);
    Ok(identity)
}

/// A value that no earlier token can contain: 16 random bytes as 32 hex digits.
fn nonce() -> Result<String, Error> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| {
        let fault = "the random number generator of the system failed";
        Error::system("making a nonce", fault)
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
