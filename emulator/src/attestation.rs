//! The attestation service of Confidential Space: replays the measurements of a launcher, verifies the
//! signatures that the launcher found, and signs a token about both (Confidential Computing v1).
//!
//! The real service verifies hardware evidence. This one trusts every caller, because a rehearsal has no
//! such hardware. It refuses requests for tokens with certificates (PKI) and for AWS, and its tokens have
//! no claims about GPUs.

mod evidence;
mod image_signature;
mod token;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use confidential::claims::{ISSUER, ImageSignature};
use content::{Digest, limits};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::evidence::Evidence;
use self::token::LIFETIME;
use crate::clock;
use crate::location;
use crate::random;
use crate::status::Status;

/// The largest number of open challenges: five requests per second for the lifetime of a challenge
/// (Confidential Computing quotas).
const CHALLENGES: usize = 5 * 3600;

/// The service, with its key and the open challenges by expiry time. Challenges are not kept between
/// runs.
pub struct Attestation {
    key: KeyPair,
    key_id: String,
    challenges: Mutex<BTreeMap<String, u64>>,
}

/// The key that signs tokens.
#[derive(Clone, Deserialize, Serialize)]
pub struct Key {
    #[serde(with = "crate::state::base64")]
    pkcs8: Vec<u8>,
}

impl Key {
    /// Generates a key.
    ///
    /// # Errors
    /// The cryptographic library fails.
    pub fn new() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let key = KeyPair::generate(KeySize::Rsa2048)?;
        let der: Pkcs8V1Der<'_> = key.as_der()?;
        let pkcs8 = der.as_ref().to_vec();
        Ok(Self { pkcs8 })
    }
}

impl Attestation {
    /// A service that signs with this key.
    ///
    /// # Errors
    /// The key is invalid.
    pub fn new(key: &Key) -> Result<Self, aws_lc_rs::error::KeyRejected> {
        let key = KeyPair::from_pkcs8(&key.pkcs8)?;
        let key_id = Digest::of(key.public_key().as_ref()).hex()[..40].to_owned();
        Ok(Self {
            key,
            key_id,
            challenges: Mutex::default(),
        })
    }

    /// The discovery document of the issuer, with its keys at `address` (OpenID Connect Discovery 1.0).
    pub fn discovery(address: &str) -> Value {
        json!({
            "issuer": ISSUER,
            "jwks_uri": format!("{address}/jwks"),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid"],
        })
    }

    /// The public keys of the issuer (JWK set, RFC 7517).
    pub fn key_set(&self) -> Value {
        let components: RsaPublicKeyComponents<Vec<u8>> = self.key.public_key().into();
        json!({"keys": [{
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "kid": self.key_id,
            "n": URL_SAFE_NO_PAD.encode(components.n),
            "e": URL_SAFE_NO_PAD.encode(components.e),
        }]})
    }

    /// `challenges.create` at the time `now` in Unix seconds.
    ///
    /// # Errors
    /// The location does not exist, too many challenges are open, or the random number generator fails.
    pub fn challenge(&self, location: &str, now: u64) -> Result<Value, Status> {
        location::check_region(location.rsplit('/').next().unwrap_or_default())?;
        let mut challenges = self.challenges();
        if challenges.len() >= CHALLENGES {
            challenges.retain(|_, ends| now < *ends);
        }
        if challenges.len() >= CHALLENGES {
            return Err(Status::exhausted("Too many challenges are unanswered."));
        }
        let id = random::text().map_err(|_| Status::internal())?;
        let name = format!("{location}/challenges/{id}");
        let ends = now + LIFETIME;
        challenges.insert(name.clone(), ends);
        Ok(json!({
            "name": name,
            "createTime": clock::rfc3339(now),
            "expireTime": clock::rfc3339(ends),
            "used": false,
            "tpmNonce": STANDARD.encode(random::bytes().map_err(|_| Status::internal())?),
        }))
    }

    /// `challenges.verifyConfidentialSpace` at the time `now` in Unix seconds. An invalid
    /// signature is a partial error: the token is issued, but does not name that signature.
    ///
    /// # Errors
    /// The challenge does not exist, the evidence is invalid, or the kind of token is not emulated.
    pub fn verify(&self, challenge: &str, body: Value, now: u64) -> Result<Value, Status> {
        let ends = self.challenges().remove(challenge);
        if ends.is_none_or(|ends| ends <= now) {
            return Err(Status::not_found(format!(
                "Challenge {challenge} not found."
            )));
        }
        let evidence = Evidence::parse(body)?;
        let launch = evidence.launch()?;
        let (held, errors) = signatures(&evidence, &launch.image_digest)?;
        let payload = token::payload(evidence, launch, held, now);
        let errors: Vec<_> = errors
            .into_iter()
            .map(|message| json!({"code": 3, "message": message}))
            .collect();
        Ok(json!({"attestationToken": self.sign(&payload)?, "partialErrors": errors}))
    }

    fn challenges(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        // Every change is a single call, so that a panic cannot leave it incomplete.
        self.challenges
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn sign(&self, payload: &impl Serialize) -> Result<String, Status> {
        let head = json!({"alg": "RS256", "kid": self.key_id, "typ": "JWT"}).to_string();
        let body = serde_json::to_vec(payload).map_err(|_| Status::internal())?;
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(head),
            URL_SAFE_NO_PAD.encode(body)
        );
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .map_err(|_| Status::internal())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The claims of a token of this service; `None` if its signature is invalid. Nothing else is checked.
    pub fn claims(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let key = self.key.public_key().as_ref();
        let key = aws_lc_rs::signature::UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
        key.verify(signed.as_bytes(), &signature).ok()?;
        let body = URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
        content::json::parse(&body, limits::TOKEN).ok()
    }
}

/// The valid signatures, and one error for each of the others.
fn signatures(
    evidence: &Evidence,
    digest: &Digest,
) -> Result<(Vec<ImageSignature>, Vec<String>), Status> {
    let all = evidence.signatures();
    if all.len() > limits::SIGNATURES {
        return Err(Status::invalid("More than 300 container image signatures."));
    }
    let (mut held, mut errors) = (Vec::new(), Vec::new());
    for signature in all {
        match image_signature::verified(signature, digest) {
            Ok(signature) => held.push(signature),
            Err(reason) => errors.push(format!(
                "failed to verify container image signature: {reason}"
            )),
        }
    }
    Ok((held, errors))
}
