//! The Security Token Service: exchanges an attestation token for an access token (RFC 8693, Google's
//! workload identity federation). Errors have the form of OAuth, not of `google.rpc.Status`.

use std::collections::BTreeMap;
use std::sync::Arc;

use confidential::claims::ISSUER;
use content::json::null_is_default;
use expression::google::{MAPPED_LIMIT, SUBJECT_LIMIT};
use expression::{Program, Variables};
use google::identity;
use serde::Deserialize;
use serde_json::{Value, json};

use super::accounts::{AccessToken, Accounts, Federated};
use super::iam::{Iam, Provider};
use crate::attestation::Attestation;
use crate::oauth::Refusal;
use crate::protojson::Ignored;

/// The lifetime of an access token, in seconds.
const LIFETIME: u64 = 3600;
const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// The token type of access tokens (RFC 8693 section 3).
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const TOKENS: [&str; 2] = [
    "urn:ietf:params:oauth:token-type:jwt",
    "urn:ietf:params:oauth:token-type:id_token",
];

/// A token exchange request (RFC 8693 section 2.1).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Exchange {
    /// The grant type; must be `urn:ietf:params:oauth:grant-type:token-exchange`.
    #[serde(alias = "grant_type", deserialize_with = "null_is_default")]
    pub grant_type: String,
    /// The provider, `//iam.googleapis.com/POOL/providers/ID`.
    #[serde(deserialize_with = "null_is_default")]
    pub audience: String,
    /// The scopes of the access token; required.
    #[serde(deserialize_with = "null_is_default")]
    pub scope: String,
    /// The requested token type; must be [`ACCESS_TOKEN`].
    #[serde(alias = "requested_token_type", deserialize_with = "null_is_default")]
    pub requested_token_type: String,
    /// The token to exchange.
    #[serde(alias = "subject_token", deserialize_with = "null_is_default")]
    pub subject_token: String,
    /// The type of the token to exchange: a JWT or an ID token.
    #[serde(alias = "subject_token_type", deserialize_with = "null_is_default")]
    pub subject_token_type: String,
    /// Options of the service for other kinds of pools.
    pub options: Ignored<String>,
}

/// The Security Token Service.
pub struct Sts {
    accounts: Arc<Accounts>,
    iam: Arc<Iam>,
    attestation: Arc<Attestation>,
}

impl Sts {
    /// A service that accepts tokens of this attestation service.
    pub fn new(accounts: Arc<Accounts>, iam: Arc<Iam>, attestation: Arc<Attestation>) -> Self {
        Self {
            accounts,
            iam,
            attestation,
        }
    }

    /// Exchanges a token at the time `now` in Unix seconds.
    ///
    /// # Errors
    /// The request is invalid, the provider does not exist, or it rejects the token.
    pub fn exchange(&self, request: &Exchange, now: u64) -> Result<AccessToken, Refusal> {
        check(request)?;
        let name = identity::Provider::from_audience(&request.audience);
        let name = name.ok_or_else(|| invalid("audience"))?;
        let provider = self.iam.provider(&name).ok_or_else(|| {
            Refusal::new(
                "invalid_target",
                "The target service indicated by the \"audience\" parameters is invalid. This might \
                 either be because the pool or provider is disabled or deleted or because it doesn't exist.",
            )
        })?;
        let claims = verified(request, &provider, &self.attestation, now)?;
        let federated = admitted(name.pool(), &provider, &claims, now)?;
        let token = self.accounts.admit(federated, now);
        token.map_err(|_| Refusal::server())
    }
}

fn check(request: &Exchange) -> Result<(), Refusal> {
    // An absent grant type and an unknown one have different errors (RFC 6749 section 5.2).
    let error = match request.grant_type.as_str() {
        GRANT => None,
        "" => Some("invalid_request"),
        _ => Some("unsupported_grant_type"),
    };
    if let Some(error) = error {
        let error = Refusal {
            error,
            ..invalid("grant_type")
        };
        return Err(error);
    }
    let wrong = if request.requested_token_type != ACCESS_TOKEN {
        "requested_token_type"
    } else if !TOKENS.contains(&request.subject_token_type.as_str()) {
        "subject_token_type"
    } else if request.scope.is_empty() {
        // Required for an access token (STS API, method `token`).
        "scope"
    } else {
        return Ok(());
    };
    Err(invalid(wrong))
}

fn invalid(name: &str) -> Refusal {
    Refusal::new("invalid_request", format!("Invalid value for \"{name}\"."))
}

fn verified(
    request: &Exchange,
    provider: &Provider,
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
    let claims = attestation.claims(&request.subject_token).ok_or_else(|| {
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
    let audience = request.audience.as_str();
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

/// Maps the claims to attributes, and evaluates the condition on both.
fn admitted(
    pool: &identity::Pool,
    provider: &Provider,
    claims: &Value,
    now: u64,
) -> Result<Federated, Refusal> {
    let mut federated = Federated {
        pool: pool.clone(),
        subject: String::new(),
        groups: Vec::new(),
        attributes: BTreeMap::new(),
        expires: now + LIFETIME,
    };
    for (name, expression) in &provider.attribute_mapping {
        map(name, expression, claims, &mut federated).map_err(|_| {
            let text = format!("Failed to evaluate the attribute mapping for {name}.");
            Refusal::new("invalid_grant", text)
        })?;
    }
    check_sizes(&federated)?;
    let condition = &provider.attribute_condition;
    let holds = |variables| Program::parse(condition)?.holds(variables);
    match condition.is_empty()
        || variables(claims, &federated)
            .and_then(holds)
            .unwrap_or(false)
    {
        true => Ok(federated),
        false => {
            let text = "The given credential is rejected by the attribute condition.";
            Err(Refusal::new("unauthorized_client", text))
        }
    }
}

fn map(
    name: &str,
    expression: &str,
    claims: &Value,
    federated: &mut Federated,
) -> Result<(), expression::Error> {
    let assertion = Variables::default().with("assertion", claims)?;
    let program = Program::parse(expression)?;
    match name.strip_prefix("attribute.") {
        Some(name) => {
            let value = program.text(assertion)?;
            federated.attributes.insert(name.to_owned(), value);
        }
        None if name == "google.groups" => federated.groups = program.texts(assertion)?,
        None => federated.subject = program.text(assertion)?,
    }
    Ok(())
}

fn check_sizes(federated: &Federated) -> Result<(), Refusal> {
    let subject = federated.subject.len();
    if subject == 0 || subject > SUBJECT_LIMIT {
        let text = format!(
            "The size of mapped attribute google.subject exceeds the {SUBJECT_LIMIT} bytes limit or is 0."
        );
        return Err(Refusal::new("invalid_grant", text));
    }
    let custom = federated.attributes.values().map(String::len);
    let groups = federated.groups.iter().map(String::len);
    match custom.chain(groups).sum::<usize>() + subject > MAPPED_LIMIT {
        true => Err(Refusal::new(
            "invalid_grant",
            format!("The size of all mapped attributes exceeds the {MAPPED_LIMIT} bytes limit."),
        )),
        false => Ok(()),
    }
}

/// The variables of a condition (IAM v1, `WorkloadIdentityPoolProvider.attributeCondition`).
fn variables(claims: &Value, federated: &Federated) -> Result<Variables, expression::Error> {
    let google = json!({"subject": federated.subject, "groups": federated.groups});
    Variables::default()
        .with("assertion", claims)?
        .with("google", &google)?
        .with("attribute", &federated.attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(condition: &str, mapping: Value) -> Result<Federated, &'static str> {
        let provider = json!({
            "oidc": {"issuerUri": ISSUER},
            "attributeMapping": mapping,
            "attributeCondition": condition,
        });
        let provider = serde_json::from_value(provider).unwrap();
        let claims =
            json!({"sub": "s", "digest": "sha256:1", "groups": ["g"], "long": "x".repeat(5000)});
        let pool = "projects/1/locations/global/workloadIdentityPools/pool";
        let pool = pool.parse().unwrap();
        admitted(&pool, &provider, &claims, 0).map_err(|refusal| refusal.error)
    }

    fn mapping() -> Value {
        json!({
            "google.subject": "assertion.sub",
            "google.groups": "assertion.groups",
            "attribute.digest": "assertion.digest",
        })
    }

    #[test]
    fn conditions_see_claims_and_attributes() {
        for condition in [
            "assertion.sub == 's'",
            "google.subject == 's'",
            "'g' in google.groups",
            "attribute.digest == assertion.digest",
        ] {
            assert!(admit(condition, mapping()).is_ok(), "{condition}");
        }
        for condition in ["google.subject == 'x'", "attribute.none == ''", "'s'"] {
            let refused = admit(condition, mapping());
            assert_eq!(refused, Err("unauthorized_client"), "{condition}");
        }
    }

    #[test]
    fn mapped_attributes_have_a_largest_size() {
        let with = |target: &str, expression: &str| {
            let mut mapping = mapping();
            mapping[target] = expression.into();
            admit("", mapping).map(|federated| federated.groups)
        };
        assert_eq!(
            with("attribute.long", "assertion.long"),
            Ok(vec!["g".to_owned()])
        );
        let error = Err("invalid_grant");
        assert_eq!(
            with("attribute.long", "assertion.long+assertion.long"),
            error
        );
        assert_eq!(with("google.subject", "assertion.long"), error);
        assert_eq!(with("google.subject", "''"), error);
        assert_eq!(with("google.groups", "assertion.sub"), error);
        assert_eq!(with("attribute.none", "assertion.none"), error);
    }

    #[test]
    fn an_absent_grant_type_differs_from_an_unknown_one() {
        let error = |grant_type: &str| {
            let request = Exchange {
                grant_type: grant_type.into(),
                ..Exchange::default()
            };
            check(&request).unwrap_err().error
        };
        assert_eq!(error(""), "invalid_request");
        assert_eq!(error("x"), "unsupported_grant_type");
        assert_eq!(error(GRANT), "invalid_request");
    }
}
