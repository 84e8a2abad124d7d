//! The attestation service (Confidential Computing v1) and its OpenID Connect discovery.

mod evidence;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use confidential::claims::ISSUER;
use serde::Deserialize;
use serde_json::{Value, json};

pub use self::evidence::evidence;
use super::call::{Call, name};
use super::routes::routes;
use crate::attestation::{Attested, Challenge, PublicKey};
use crate::clock;
use crate::protojson::Ignored;
use crate::services::accounts::Service;
use crate::services::{Context, Services};
use crate::status::Status;

/// `google.rpc.Code.INVALID_ARGUMENT`, the code of a partial error.
const INVALID_ARGUMENT: u8 = 3;

/// The body of `challenges.create`: fields of answers only.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct NewChallenge {
    name: Ignored<String>,
    #[serde(alias = "create_time")]
    create_time: Ignored<String>,
    #[serde(alias = "expire_time")]
    expire_time: Ignored<String>,
    used: Ignored<bool>,
    #[serde(alias = "tpm_nonce")]
    tpm_nonce: Ignored<String>,
}

/// The routes of Confidential Computing v1 and of the discovery document, served at `address`.
pub fn router(address: &str, services: Arc<Services>) -> Router {
    let discovery = discovery(address);
    let key_set = key_set(&services.attestation.public_key());
    routes(services, answer)
        .route(
            "/.well-known/openid-configuration",
            get(async move || Json(discovery.clone())),
        )
        .route("/jwks", get(async move || Json(key_set.clone())))
}

/// The discovery document of the issuer, with its keys at `address` (OpenID Connect Discovery 1.0).
fn discovery(address: &str) -> Value {
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
fn key_set(key: &PublicKey) -> Value {
    json!({"keys": [{
        "kty": "RSA",
        "alg": "RS256",
        "use": "sig",
        "kid": key.id,
        "n": URL_SAFE_NO_PAD.encode(&key.modulus),
        "e": URL_SAFE_NO_PAD.encode(&key.exponent),
    }]})
}

fn answer(services: &Services, call: &Call) -> Result<Value, Status> {
    let (attestation, now) = (&services.attestation, services.now());
    let location = call.resource.strip_suffix("/challenges");
    if let Caller::Known(context) = caller(services, call)? {
        demand(services, call, &context)?;
    }
    match (call.method.as_str(), call.verb.as_str(), location) {
        ("POST", "", Some(location)) => {
            call.message::<NewChallenge>()?;
            let made = attestation.challenge(&name(location)?, now)?;
            Ok(challenge(&made))
        }
        ("POST", "verifyConfidentialSpace", None) => {
            let evidence = evidence(&call.body)?;
            let attested = attestation.verify(&call.resource, evidence, now)?;
            Ok(verified(attested))
        }
        _ => Err(call.unknown()),
    }
}

/// Who calls.
enum Caller {
    /// The launcher of a rehearsal, `emulator launch`, which has no credentials and is trusted.
    Launcher,
    /// A caller with credentials, which needs the role of a workload. A machine of Compute Engine is one, even if it has no service
    /// account.
    Known(Context),
}

fn caller(services: &Services, call: &Call) -> Result<Caller, Status> {
    match &call.bearer {
        None => Ok(Caller::Launcher),
        Some(bearer) => services
            .context(Some(bearer), Service::Attestation)
            .map(Caller::Known),
    }
}

fn demand(services: &Services, call: &Call, context: &Context) -> Result<(), Status> {
    let what = match call.verb.as_str() {
        "" => "create",
        _ => "verify",
    };
    let resource = call
        .resource
        .split("/challenges")
        .next()
        .unwrap_or_default();
    let permission = format!("confidentialcomputing.challenges.{what}");
    services.iam.demand(context, &permission, &[resource])
}

fn challenge(challenge: &Challenge) -> Value {
    json!({
        "name": challenge.name,
        "createTime": clock::rfc3339(challenge.created),
        "expireTime": clock::rfc3339(challenge.expires),
        "used": false,
        // Standard base64, as Google's launcher decodes it (google/go-tpm-tools, `verifier/rest`).
        "tpmNonce": STANDARD.encode(challenge.nonce),
    })
}

fn verified(Attested { token, errors }: Attested) -> Value {
    let error = |message: String| json!({"code": INVALID_ARGUMENT, "message": message});
    let errors: Vec<_> = errors.into_iter().map(error).collect();
    json!({"attestationToken": token, "partialErrors": errors})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_has_its_nonce_in_standard_base64() {
        let made = challenge(&Challenge {
            name: "n".into(),
            created: 1_700_000_000,
            expires: 1_700_003_600,
            nonce: [0xff; 32],
        });
        assert_eq!(made["createTime"], "2023-11-14T22:13:20Z");
        assert_eq!(made["expireTime"], "2023-11-14T23:13:20Z");
        let nonce = STANDARD.decode(made["tpmNonce"].as_str().unwrap());
        assert_eq!(nonce.unwrap(), [0xff; 32]);
    }
}
