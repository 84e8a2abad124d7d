//! The attestation service of Confidential Space: replays the measurements of a launcher, verifies the
//! signatures that the launcher found, and signs a token about both (Confidential Computing v1).
//!
//! The real service verifies hardware evidence. This one believes what it is told, because a rehearsal has no
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
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use confidential::claims::ImageSignature;
use content::{Digest, limits};
use google::Location;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::evidence::{Evidence, Family, Instance, Options, Signature};
use self::token::LIFETIME;
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

/// A challenge (Confidential Computing v1, `Challenge`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Challenge {
    /// The name, `projects/P/locations/L/challenges/C`.
    pub name: String,
    /// The time of creation, in Unix seconds.
    pub created: u64,
    /// The time at which the challenge expires, in Unix seconds.
    pub expires: u64,
    /// The nonce for a TPM.
    pub nonce: [u8; 32],
}

/// The answer to evidence (Confidential Computing v1, `VerifyConfidentialSpaceResponse`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attested {
    /// The signed token.
    pub token: String,
    /// Why signatures on the image are not in the token.
    pub errors: Vec<String>,
}

/// A public key of RSA.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicKey {
    /// The ID, which tokens name.
    pub id: String,
    /// The modulus, in big-endian bytes.
    pub modulus: Vec<u8>,
    /// The public exponent, in big-endian bytes.
    pub exponent: Vec<u8>,
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

    /// The public key that verifies tokens.
    pub fn public_key(&self) -> PublicKey {
        let components: RsaPublicKeyComponents<Vec<u8>> = self.key.public_key().into();
        PublicKey {
            id: self.key_id.clone(),
            modulus: components.n,
            exponent: components.e,
        }
    }

    /// `challenges.create` at the time `now` in Unix seconds.
    ///
    /// # Errors
    /// The location does not exist, too many challenges are open, or the random number generator fails.
    pub fn challenge(&self, location: &Location, now: u64) -> Result<Challenge, Status> {
        location::check_region(location.id())?;
        let mut challenges = self.challenges();
        if challenges.len() >= CHALLENGES {
            challenges.retain(|_, ends| now < *ends);
        }
        if challenges.len() >= CHALLENGES {
            return Err(Status::exhausted("Too many challenges are unanswered."));
        }
        let id = random::text().map_err(|_| Status::internal())?;
        let challenge = Challenge {
            name: format!("{location}/challenges/{id}"),
            created: now,
            expires: now + LIFETIME,
            nonce: random::bytes().map_err(|_| Status::internal())?,
        };
        challenges.insert(challenge.name.clone(), challenge.expires);
        Ok(challenge)
    }

    /// `challenges.verifyConfidentialSpace` at the time `now` in Unix seconds. An invalid
    /// signature is a partial error: the token is issued, but does not name that signature.
    ///
    /// # Errors
    /// The challenge does not exist or the evidence is invalid.
    pub fn verify(
        &self,
        challenge: &str,
        evidence: Evidence,
        now: u64,
    ) -> Result<Attested, Status> {
        let ends = self.challenges().remove(challenge);
        if ends.is_none_or(|ends| ends <= now) {
            return Err(Status::not_found(format!(
                "Challenge {challenge} not found."
            )));
        }
        evidence.options.check()?;
        let launch = evidence.launch()?;
        let (held, errors) = signatures(&evidence, &launch.image_digest)?;
        let payload = token::payload(evidence, launch, held, now);
        let token = self.sign(&payload)?;
        Ok(Attested { token, errors })
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
    let all = &evidence.signatures;
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
