//! An attestation token of Confidential Space.

use std::path::Path;

use ::signature::{Algorithm, Hash, PublicKey};
use confidential::Token as Parsed;
use confidential::claims::{Claims, Expected, ISSUER, PRODUCTION};
use confidential::jwks::KeySet;
use confidential::token::BadSignature;
use console::at;
use console::hint::Hinted;
use content::limits;

use super::chain::{Chain, Root};
use super::{Facts, Judgement};
use crate::Error;

/// The only algorithm of tokens (RFC 7518, section 3.3).
const RS256: Algorithm = Algorithm::RsaPkcs1 { hash: Hash::Sha256 };
const KEYS: &str = "pass the key set at the `jwks_uri` of the issuer's discovery document";
const ROOT: &str = "pass the certificate at the `root_ca_uri` of the issuer, in PEM";

/// What to check.
#[derive(Clone, Copy, Debug)]
pub struct Token<'a> {
    /// The token.
    pub file: &'a Path,
    /// Who may have signed it.
    pub trust: Trust<'a>,
    /// The time at which it must be valid, in Unix seconds.
    pub at: u64,
    /// The only audience, in place of any single one.
    pub audience: Option<&'a str>,
    /// Nonces that it must contain.
    pub nonces: &'a [String],
    /// Which images of the machine are accepted.
    pub images: Images,
}

/// Who may have signed a token.
#[derive(Clone, Copy, Debug)]
pub enum Trust<'a> {
    /// A key of the set in this file (RFC 7517), by its identifier.
    Keys(&'a Path),
    /// The key of a certificate in the token, with a chain to the root certificate in this file, in PEM.
    Root(&'a Path),
}

/// Images of the machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Images {
    /// All, those for debugging included.
    Any,
    /// Only those that the operator cannot debug.
    Production,
}

/// Checks signature, issuer, audience, time and nonces of a token, and on request whether it is of a production image.
/// The facts are the `claims`, if the signature verifies.
///
/// # Errors
/// A file cannot be read, or the keys or the root are invalid.
pub fn token(request: &Token<'_>, facts: Option<&mut Facts>) -> Result<Judgement, Error> {
    let trusted = Trusted::read(request.trust)?;
    let bytes = at::read(request.file, limits::TOKEN)?;
    let text = String::from_utf8_lossy(bytes.trim_ascii_end());
    let claims = match trusted.verify(&text, request.at) {
        Ok(claims) => claims,
        Err(reason) => return Ok(Judgement::Refused(reason)),
    };
    let checked = check(request, &claims);
    if let Some(facts) = facts {
        let claims = serde_json::to_value(&claims).unwrap_or_default();
        facts.insert("claims".to_owned(), claims);
    }
    Ok(match checked {
        Ok(()) => Judgement::Accepted,
        Err(reason) => Judgement::Refused(reason),
    })
}

fn check(request: &Token<'_>, claims: &Claims) -> Result<(), String> {
    let own = claims.audience.0.first().map_or("", String::as_str);
    let expected = Expected {
        issuer: ISSUER,
        audience: request.audience.unwrap_or(own),
        nonces: request.nonces,
        at: request.at,
    };
    claims.check(&expected).map_err(text)?;
    match (request.images, claims.debug_status.as_deref()) {
        (Images::Any, _) | (Images::Production, Some(PRODUCTION)) => Ok(()),
        (Images::Production, found) => {
            let found = content::printable(found.unwrap_or("none"), 80);
            Err(format!(
                "checking dbgstat: expected {PRODUCTION}, found {found}"
            ))
        }
    }
}

fn text(error: impl std::error::Error) -> String {
    error.to_string()
}

/// The keys or the root, read.
enum Trusted {
    Keys(KeySet),
    Root(Root),
}

impl Trusted {
    fn read(trust: Trust<'_>) -> Result<Self, Error> {
        match trust {
            Trust::Keys(path) => {
                let keys = KeySet::parse(&at::read(path, limits::KEY)?);
                let invalid = |error| invalid(path, error, KEYS);
                Ok(Self::Keys(keys.map_err(invalid)?))
            }
            Trust::Root(path) => {
                let root = Root::parse(&at::read(path, limits::KEY)?);
                let invalid = |error| invalid(path, error, ROOT);
                Ok(Self::Root(root.map_err(invalid)?))
            }
        }
    }

    /// The claims of a token with a valid signature.
    fn verify(&self, token: &str, at: u64) -> Result<Claims, String> {
        let token = Parsed::parse(token).map_err(text)?;
        match self {
            Self::Keys(keys) => {
                let key = keys.key_of(&token).map_err(text)?;
                let key = PublicKey::from_rsa(&key.modulus, &key.exponent).map_err(text)?;
                let key = key.with_algorithm(RS256).map_err(text)?;
                let verify = |input: &[u8], signature: &[u8]| {
                    let verified = key.verify(input, signature);
                    verified.map_err(|_| BadSignature)
                };
                token.verify(verify).map_err(text)
            }
            Self::Root(root) => {
                let chain = Chain::parse(token.certificates().unwrap_or_default())?;
                let leaf = chain.verify(root, at)?;
                let verify = |input: &[u8], signature: &[u8]| {
                    let verified = leaf.verify(input, signature);
                    verified.map_err(|_| BadSignature)
                };
                token.verify(verify).map_err(text)
            }
        }
    }
}

fn invalid(
    path: &Path,
    error: impl std::error::Error + Send + Sync + 'static,
    hint: &'static str,
) -> Error {
    let doing = format!("reading {}", at::shown(path));
    Hinted::doing(doing, error).hinting(hint).into()
}
