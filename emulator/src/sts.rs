//! The security token service: an attestation token for an access token (RFC 8693, as Google's
//! workload identity federation has it). Errors are OAuth's, not `google.rpc.Status`.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use confidential::claims::ISSUER;
use serde_json::{Value, json};

use crate::accounts::Federated;
use crate::attestation::Attestation;
use crate::cel::{self, Variables};
use crate::iam::{Pools, Provider};

/// Bytes of `google.subject` at the most (IAM).
const SUBJECT: usize = 127;
/// Seconds that an access token lasts.
const LIFETIME: u64 = 3600;
const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const TOKENS: [&str; 2] = [
    "urn:ietf:params:oauth:token-type:jwt",
    "urn:ietf:params:oauth:token-type:id_token",
];

/// A refusal, in OAuth's words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    error: &'static str,
    description: String,
}

impl Refusal {
    fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self {
            error,
            description: description.into(),
        }
    }

    /// The service itself failed.
    pub fn server() -> Self {
        Self::new("server_error", "Internal error encountered.")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({"error": self.error, "error_description": self.description});
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    }
}

/// What the exchange asks for.
pub struct Request<'a> {
    fields: &'a BTreeMap<String, String>,
}

impl<'a> Request<'a> {
    /// A request of these fields, named as forms name them or as JSON does.
    pub fn new(fields: &'a BTreeMap<String, String>) -> Self {
        Self { fields }
    }

    fn field(&self, snake: &str, camel: &str) -> &str {
        let found = self.fields.get(snake).or_else(|| self.fields.get(camel));
        found.map_or("", String::as_str)
    }
}

/// Who is let in, at the time `now` in Unix seconds. `number` gives the number of a project that is
/// named by ID.
///
/// # Errors
/// Nobody: the request makes no sense, there is no such provider, or it does not let this token in.
pub fn exchange(
    request: &Request<'_>,
    pools: &Pools,
    attestation: &Attestation,
    now: u64,
) -> Result<Federated, Refusal> {
    if request.field("grant_type", "grantType") != GRANT {
        return Err(Refusal::new(
            "unsupported_grant_type",
            "Invalid value for \"grant_type\".",
        ));
    }
    if request.field("requested_token_type", "requestedTokenType") != ACCESS_TOKEN {
        return Err(Refusal::new(
            "invalid_request",
            "Invalid value for \"requested_token_type\".",
        ));
    }
    if !TOKENS.contains(&request.field("subject_token_type", "subjectTokenType")) {
        return Err(Refusal::new(
            "invalid_request",
            "Invalid value for \"subject_token_type\".",
        ));
    }
    let audience = request.field("audience", "audience");
    let (pool, id) = provider_name(audience)?;
    let provider = pools.provider(pool, id).ok_or_else(|| {
        Refusal::new(
            "invalid_target",
            "The target service indicated by the \"audience\" parameters is invalid. This might \
             either be because the pool or provider is disabled or deleted or because it doesn't exist.",
        )
    })?;
    let token = request.field("subject_token", "subjectToken");
    let claims = verified(token, provider, audience, attestation, now)?;
    admitted(pool, provider, &claims, now)
}

/// The answer to whoever was let in.
pub fn answer(access_token: &str) -> Value {
    json!({
        "access_token": access_token,
        "issued_token_type": ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_in": LIFETIME,
    })
}

/// `//iam.googleapis.com/POOL/providers/ID`
fn provider_name(audience: &str) -> Result<(&str, &str), Refusal> {
    let name = audience.strip_prefix("//iam.googleapis.com/");
    let name = name.and_then(|name| name.split_once("/providers/"));
    name.ok_or_else(|| Refusal::new("invalid_request", "Invalid value for \"audience\"."))
}

fn verified(
    token: &str,
    provider: &Provider,
    audience: &str,
    attestation: &Attestation,
    now: u64,
) -> Result<Value, Refusal> {
    let invalid = |description: &str| Refusal::new("invalid_grant", description);
    let issuer = provider.oidc.issuer_uri.trim_end_matches('/');
    if issuer != ISSUER {
        return Err(invalid(
            "Error connecting to the given credential's issuer.",
        ));
    }
    let claims = attestation.claims(token).ok_or_else(|| {
        invalid("The given credential could not be verified against the issuer's keys.")
    })?;
    if claims["iss"] != ISSUER {
        return Err(invalid(
            "The issuer in ID Token does not match the expected ones.",
        ));
    }
    let time = |name: &str| claims[name].as_u64();
    if time("exp").is_none_or(|expires| expires <= now)
        || time("nbf").is_some_and(|from| now < from)
    {
        return Err(invalid("ID Token is expired or not yet valid."));
    }
    let default = format!("https:{audience}");
    let allowed = &provider.oidc.allowed_audiences;
    let is_for = |expected: &str| claims["aud"] == expected;
    let is_ours = match allowed.is_empty() {
        true => is_for(&default) || is_for(audience),
        false => allowed.iter().any(|audience| is_for(audience)),
    };
    match is_ours {
        true => Ok(claims),
        false => {
            let found = &claims["aud"];
            let text = format!(
                "The audience in ID Token [{found}] does not match the expected audience {allowed:?}."
            );
            Err(invalid(&text))
        }
    }
}

fn admitted(
    pool: &str,
    provider: &Provider,
    claims: &Value,
    now: u64,
) -> Result<Federated, Refusal> {
    let condition = &provider.attribute_condition;
    let assertion = || Variables::default().with("assertion", claims);
    let holds = |assertion| cel::condition(condition, assertion);
    let passes = condition.is_empty() || assertion().and_then(holds).unwrap_or(false);
    if !passes {
        let text = "The given credential is rejected by the attribute condition.";
        return Err(Refusal::new("unauthorized_client", text));
    }
    let mut attributes = BTreeMap::new();
    let mut subject = String::new();
    for (name, expression) in &provider.attribute_mapping {
        let value = assertion().and_then(|assertion| cel::text(expression, assertion));
        let value = value.map_err(|_| {
            let text = format!("Failed to evaluate the attribute mapping for {name}.");
            Refusal::new("invalid_grant", text)
        })?;
        match name.strip_prefix("attribute.") {
            Some(name) => drop(attributes.insert(name.to_owned(), value)),
            None if name == "google.subject" => subject = value,
            None => {}
        }
    }
    if subject.is_empty() || subject.len() > SUBJECT {
        let text = format!(
            "The size of mapped attribute google.subject exceeds the {SUBJECT} bytes limit or is 0."
        );
        return Err(Refusal::new("invalid_grant", text));
    }
    Ok(Federated {
        pool: pool.to_owned(),
        subject,
        attributes,
        expires: now + LIFETIME,
    })
}
