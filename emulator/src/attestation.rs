//! The attestation service of Confidential Space: replays what a launcher has measured, verifies the
//! signatures that it found, and signs a token about both (Confidential Computing v1).
//!
//! A real service believes hardware. This one believes whoever calls it, as a rehearsal must.

use std::collections::BTreeSet;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use confidential::claims::{
    CONFIDENTIAL_SPACE, Claims, ConfidentialSpace, Container, DEFAULT_AUDIENCE, Gce, ISSUER,
    ImageSignature, OneOrMany, PRODUCTION, Submods,
};
use confidential::event_log;
use content::{Digest, limits};
use serde::Deserialize;
use serde_json::{Value, json};
use signature::PublicKey;

use crate::random;
use crate::status::Status;

/// Seconds that a token lasts.
const LIFETIME: u64 = 3600;
/// Bytes of an audience; bytes of a nonce; nonces (Confidential Space, token options).
const AUDIENCE: usize = 512;
const NONCE: std::ops::RangeInclusive<usize> = 8..=88;
const NONCES: usize = 6;
/// The version that machine images say they have.
const VERSION: &str = "260701";

/// The service, with its key and the challenges that are still to be answered.
pub struct Attestation {
    key: KeyPair,
    key_id: String,
    challenges: BTreeSet<String>,
}

/// Evidence, in Google's members and `instance` for what hardware and metadata prove there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Evidence {
    td_ccel: Ccel,
    #[serde(default)]
    signed_entities: Vec<SignedEntity>,
    #[serde(default)]
    options: Options,
    instance: Instance,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ccel {
    canonical_event_log: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignedEntity {
    #[serde(default)]
    container_image_signatures: Vec<Signature>,
}

#[derive(Deserialize)]
struct Signature {
    payload: String,
    signature: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Options {
    audience: String,
    nonce: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Instance {
    project_id: String,
    project_number: String,
    zone: String,
    instance_name: String,
    instance_id: String,
    hwmodel: String,
    image_family: Family,
    #[serde(default)]
    service_accounts: Vec<String>,
}

#[derive(Clone, Copy, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
enum Family {
    Production,
    Debug,
}

impl Attestation {
    /// A service with a new key.
    ///
    /// # Errors
    /// The cryptographic library fails.
    pub fn new() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let key = KeyPair::generate(KeySize::Rsa2048)?;
        let key_id = Digest::of(key.public_key().as_ref()).hex()[..40].to_owned();
        Ok(Self {
            key,
            key_id,
            challenges: BTreeSet::new(),
        })
    }

    /// The discovery document of the issuer, whose keys are at `address`.
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

    /// The keys of the issuer (RFC 7517).
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

    /// `challenges.create`.
    ///
    /// # Errors
    /// The operating system has no randomness.
    pub fn challenge(&mut self, location: &str) -> Result<Value, Status> {
        let nonce = random::text().map_err(|_| Status::internal())?;
        let name = format!("{location}/challenges/{nonce}");
        self.challenges.insert(name.clone());
        Ok(json!({"name": name, "used": false, "tpmNonce": nonce}))
    }

    /// `challenges.verifyConfidentialSpace` at the time `now` in Unix seconds. A signature that does
    /// not hold is a partial error: there is a token all the same, and it does not name it.
    ///
    /// # Errors
    /// No such challenge, or evidence that cannot be read.
    pub fn verify(&mut self, challenge: &str, body: Value, now: u64) -> Result<Value, Status> {
        if !self.challenges.remove(challenge) {
            return Err(Status::not_found(format!(
                "Challenge {challenge} not found."
            )));
        }
        let evidence: Evidence =
            serde_json::from_value(body).map_err(|error| Status::invalid(error.to_string()))?;
        check_options(&evidence.options)?;
        let (signatures, errors) = signatures(&evidence)?;
        let claims = claims(evidence, signatures, now)?;
        let errors: Vec<_> = errors
            .into_iter()
            .map(|message| json!({"code": 3, "message": message}))
            .collect();
        Ok(json!({"attestationToken": self.sign(&claims)?, "partialErrors": errors}))
    }

    fn sign(&self, claims: &Claims) -> Result<String, Status> {
        let head = json!({"alg": "RS256", "kid": self.key_id, "typ": "JWT"}).to_string();
        let body = serde_json::to_vec(claims).map_err(|_| Status::internal())?;
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

    /// The claims of a token of this service, if its signature holds. Nothing else is checked.
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

fn check_options(options: &Options) -> Result<(), Status> {
    if options.audience.len() > AUDIENCE {
        return Err(Status::invalid(format!(
            "The audience must have at most {AUDIENCE} bytes."
        )));
    }
    let is_wrong = |nonce: &String| !NONCE.contains(&nonce.len());
    if options.nonce.len() > NONCES || options.nonce.iter().any(is_wrong) {
        return Err(Status::invalid(
            "At most 6 nonces of 8 to 88 bytes are allowed.",
        ));
    }
    Ok(())
}

fn launch(evidence: &Evidence) -> Result<event_log::Launch, Status> {
    let log = STANDARD.decode(&evidence.td_ccel.canonical_event_log);
    let log = log.map_err(|_| Status::invalid("Invalid base64 in canonicalEventLog."))?;
    let invalid = |error: confidential::Error| Status::invalid(error.to_string());
    event_log::replay(&event_log::decode(&log).map_err(invalid)?).map_err(invalid)
}

/// What holds, and what is wrong with the rest (google/confidential-space, `server/signedcontainer`).
fn signatures(evidence: &Evidence) -> Result<(Vec<ImageSignature>, Vec<String>), Status> {
    let digest = launch(evidence)?.image_digest;
    let entities = evidence.signed_entities.iter();
    let all: Vec<_> = entities
        .flat_map(|entity| &entity.container_image_signatures)
        .collect();
    if all.len() > limits::SIGNATURES {
        return Err(Status::invalid("More than 300 container image signatures."));
    }
    let (mut held, mut errors) = (Vec::new(), Vec::new());
    for signature in all {
        match verified(signature, &digest) {
            Ok(signature) => held.push(signature),
            Err(reason) => errors.push(format!(
                "failed to verify container image signature: {reason}"
            )),
        }
    }
    Ok((held, errors))
}

fn verified(signature: &Signature, digest: &Digest) -> Result<ImageSignature, String> {
    let decode = |text: &str| STANDARD.decode(text).map_err(|error| error.to_string());
    let (payload, bytes) = (decode(&signature.payload)?, decode(&signature.signature)?);
    let parsed: Value =
        content::json::parse(&payload, limits::PAYLOAD).map_err(|e| e.to_string())?;
    if parsed["critical"]["type"] != "cosign container image signature" {
        return Err("unexpected type in payload".to_owned());
    }
    if parsed["critical"]["image"]["docker-manifest-digest"] != digest.to_string() {
        return Err("payload is of another image digest".to_owned());
    }
    let optional = |name: &str| parsed["optional"][name].as_str().unwrap_or_default();
    let algorithm = optional("dev.cosignproject.cosign/sigalg");
    if algorithm != "ECDSA_P256_SHA256" {
        return Err(format!("unsupported signing algorithm {algorithm:?}"));
    }
    let pem = optional("dev.cosignproject.cosign/pub");
    let pem = base64::engine::general_purpose::STANDARD_NO_PAD.decode(pem);
    let pem = pem
        .ok()
        .and_then(|pem| String::from_utf8(pem).ok())
        .ok_or("unreadable public key")?;
    let key = PublicKey::from_pem(&pem).map_err(|error| error.to_string())?;
    key.verify(&payload, &bytes)
        .map_err(|error| error.to_string())?;
    Ok(ImageSignature {
        key_id: key.key_id().hex(),
        signature: signature.signature.clone(),
        signature_algorithm: algorithm.to_owned(),
    })
}

fn claims(evidence: Evidence, signatures: Vec<ImageSignature>, now: u64) -> Result<Claims, Status> {
    let launch = launch(&evidence)?;
    let Evidence {
        options, instance, ..
    } = evidence;
    let audience = if options.audience.is_empty() {
        DEFAULT_AUDIENCE.into()
    } else {
        options.audience
    };
    let (project, zone, name) = (
        &instance.project_id,
        &instance.zone,
        &instance.instance_name,
    );
    let support = match instance.image_family {
        Family::Production => vec![
            "LATEST".to_owned(),
            "STABLE".to_owned(),
            "USABLE".to_owned(),
        ],
        Family::Debug => Vec::new(),
    };
    let debug = match instance.image_family {
        Family::Production => PRODUCTION,
        Family::Debug => "enabled",
    };
    Ok(Claims {
        audience: OneOrMany(vec![audience]),
        issuer: ISSUER.to_owned(),
        subject: format!(
            "https://www.googleapis.com/compute/v1/projects/{project}/zones/{zone}/instances/{name}"
        ),
        issued_at: now,
        not_before: Some(now),
        expires_at: now + LIFETIME,
        eat_profile: Some(
            "https://cloud.google.com/confidential-computing/confidential-space/docs/reference/token-claims"
                .to_owned(),
        ),
        nonces: OneOrMany(options.nonce),
        secure_boot: Some(true),
        oemid: Some(11129),
        hardware_model: Some(instance.hwmodel),
        software_name: Some(CONFIDENTIAL_SPACE.to_owned()),
        software_version: vec![VERSION.to_owned()],
        debug_status: Some(debug.to_owned()),
        google_service_accounts: instance.service_accounts,
        submods: Submods {
            confidential_space: Some(ConfidentialSpace {
                support_attributes: support,
                ..ConfidentialSpace::default()
            }),
            container: Some(container(launch, signatures)),
            gce: Some(Gce {
                zone: instance.zone,
                project_id: instance.project_id,
                project_number: instance.project_number,
                instance_name: instance.instance_name,
                instance_id: instance.instance_id,
            }),
        },
    })
}

fn container(launch: event_log::Launch, image_signatures: Vec<ImageSignature>) -> Container {
    Container {
        image_reference: launch.image_reference,
        image_digest: launch.image_digest.to_string(),
        image_id: Some(launch.image_id.to_string()),
        restart_policy: Some(format!("{:?}", launch.restart_policy)),
        args: launch.args,
        env: launch.env,
        cmd_override: launch.cmd_override,
        env_override: launch.env_override,
        image_signatures,
    }
}
