use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::cel;
use crate::status::Status;

/// Audiences of a provider at the most, characters of one; custom attributes, characters of one's
/// name; characters of a mapping (IAM v1, `WorkloadIdentityPoolProvider`). A condition's limit is
/// that of all expressions.
const AUDIENCES: usize = 10;
const AUDIENCE: usize = 256;
const ATTRIBUTES: usize = 50;
const ATTRIBUTE: usize = 100;
const MAPPING: usize = 2048;

/// A provider of a workload identity pool (IAM v1, `WorkloadIdentityPoolProvider`).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provider {
    /// A name for people.
    #[serde(default)]
    pub display_name: String,
    /// More words for people.
    #[serde(default)]
    pub description: String,
    /// Whether it lets nobody in.
    #[serde(default)]
    pub disabled: bool,
    /// Whose tokens.
    pub oidc: Oidc,
    /// How claims become attributes.
    pub attribute_mapping: BTreeMap<String, String>,
    /// Which tokens.
    #[serde(default)]
    pub attribute_condition: String,
}

/// An issuer of tokens.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Oidc {
    /// The issuer.
    pub issuer_uri: String,
    /// For whom tokens must be; the provider itself where there is none.
    #[serde(default)]
    pub allowed_audiences: Vec<String>,
    /// Keys instead of those that the issuer publishes: not emulated, and therefore refused.
    #[serde(default)]
    jwks_json: String,
}

/// Pools and providers by name.
#[derive(Debug, Default)]
pub struct Pools {
    pools: BTreeMap<String, BTreeMap<String, Provider>>,
}

impl Pools {
    /// Makes a pool.
    ///
    /// # Errors
    /// There is one.
    pub fn add_pool(&mut self, name: &str) -> Result<(), Status> {
        if self.pools.contains_key(name) {
            return Err(Status::exists("Requested entity already exists"));
        }
        self.pools.insert(name.to_owned(), BTreeMap::new());
        Ok(())
    }

    /// Makes a provider in a pool.
    ///
    /// # Errors
    /// No pool, there is one, or the provider cannot be.
    pub fn add_provider(&mut self, pool: &str, id: &str, body: Value) -> Result<(), Status> {
        let provider: Provider =
            serde_json::from_value(body).map_err(|error| Status::invalid(error.to_string()))?;
        check_provider(&provider)?;
        let pool = self.pools.get_mut(pool);
        let pool = pool.ok_or_else(|| Status::not_found("Requested entity was not found."))?;
        if pool.contains_key(id) {
            return Err(Status::exists("Requested entity already exists"));
        }
        pool.insert(id.to_owned(), provider);
        Ok(())
    }

    /// A provider that lets anybody in.
    pub fn provider(&self, pool: &str, id: &str) -> Option<&Provider> {
        let provider = self.pools.get(pool)?.get(id);
        provider.filter(|provider| !provider.disabled)
    }
}

fn check_provider(provider: &Provider) -> Result<(), Status> {
    if !provider.oidc.jwks_json.is_empty() {
        return Err(Status::unimplemented(
            "oidc.jwksJson is not emulated: the only keys are the attestation service's own.",
        ));
    }
    let audiences = &provider.oidc.allowed_audiences;
    let is_long = |audience: &String| audience.chars().count() > AUDIENCE;
    if audiences.len() > AUDIENCES || audiences.iter().any(is_long) {
        return Err(Status::invalid(format!(
            "At most {AUDIENCES} audiences of at most {AUDIENCE} characters are allowed."
        )));
    }
    check_mapping(&provider.attribute_mapping)?;
    match provider.attribute_condition.trim() {
        "" => Ok(()),
        "true" => Err(Status::invalid(
            "The attribute condition must not be a literal true.",
        )),
        condition => compiles(condition),
    }
}

fn check_mapping(mapping: &BTreeMap<String, String>) -> Result<(), Status> {
    if !mapping.contains_key("google.subject") {
        return Err(Status::invalid(
            "The attribute mapping must map google.subject.",
        ));
    }
    let is_custom = |target: &&String| target.starts_with("attribute.");
    if mapping.keys().filter(is_custom).count() > ATTRIBUTES {
        return Err(Status::invalid(format!(
            "At most {ATTRIBUTES} custom attributes are allowed."
        )));
    }
    for (target, expression) in mapping {
        if !is_target(target) {
            return Err(Status::invalid(format!(
                "Invalid attribute mapping key: {target}."
            )));
        }
        if expression.chars().count() > MAPPING {
            return Err(Status::invalid(format!(
                "The attribute mapping of {target} has more than {MAPPING} characters."
            )));
        }
        compiles(expression)?;
    }
    Ok(())
}

/// What an expression can be mapped to.
fn is_target(target: &str) -> bool {
    let is_known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    match target.strip_prefix("attribute.") {
        Some(name) => (1..=ATTRIBUTE).contains(&name.len()) && name.bytes().all(is_known),
        None => ["google.subject", "google.groups"].contains(&target),
    }
}

fn compiles(expression: &str) -> Result<(), Status> {
    cel::compile(expression).map_err(|error| Status::invalid(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn add(change: impl FnOnce(&mut Value)) -> Result<(), u16> {
        let mut body = json!({
            "oidc": {"issuerUri": "https://issuer.example"},
            "attributeMapping": {"google.subject": "assertion.sub"},
            "attributeCondition": "assertion.a == 'b'",
        });
        change(&mut body);
        let mut pools = Pools::default();
        pools.add_pool("pool").unwrap();
        let added = pools.add_provider("pool", "provider", body);
        added.map_err(|status| status.code)
    }

    #[test]
    fn limits_are_googles() {
        let mapped = |target: &str, expression: &str| {
            add(|p| p["attributeMapping"][target] = expression.into())
        };
        assert_eq!(mapped("google.groups", "assertion.groups"), Ok(()));
        assert_eq!(
            mapped(&format!("attribute.{}", "a".repeat(100)), "'a'"),
            Ok(())
        );
        assert_eq!(
            mapped("attribute.a", &format!("'{}'", "a".repeat(2046))),
            Ok(())
        );
        let bad = [
            mapped("foo", "'a'"),
            mapped("google.nonsense", "'a'"),
            mapped("attribute.", "'a'"),
            mapped("attribute.Bad-Key", "'a'"),
            mapped(&format!("attribute.{}", "a".repeat(101)), "'a'"),
            mapped("attribute.a", &format!("'{}'", "a".repeat(2047))),
            mapped("attribute.a", "a."),
        ];
        assert_eq!(bad, [Err(400); 7]);
    }

    #[test]
    fn so_many_of_each_and_no_more() {
        let attributes = |count: usize| {
            add(|p| {
                (0..count)
                    .for_each(|i| p["attributeMapping"][format!("attribute.a{i}")] = "'a'".into())
            })
        };
        assert_eq!((attributes(50), attributes(51)), (Ok(()), Err(400)));
        let audiences = |many: usize, long: usize| {
            add(|p| p["oidc"]["allowedAudiences"] = json!(vec!["a".repeat(long); many]))
        };
        assert_eq!(audiences(10, 256), Ok(()));
        assert_eq!((audiences(11, 1), audiences(1, 257)), (Err(400), Err(400)));
        let condition = |text: &str| add(|p| p["attributeCondition"] = text.into());
        assert_eq!(condition(&format!("1 == 1{}", " ".repeat(4090))), Ok(()));
        assert_eq!(condition(&"!".repeat(4097)), Err(400));
        assert_eq!(condition(" true "), Err(400));
        assert_eq!(add(|p| p["attributeMapping"] = json!({})), Err(400));
    }

    #[test]
    fn what_is_not_here_is_refused() {
        assert_eq!(add(|p| p["oidc"]["jwksJson"] = "{}".into()), Err(501));
        assert_eq!(add(|p| p["aws"] = json!({"accountId": "1"})), Err(400));
        assert_eq!(add(|p| p["oidc"]["unknown"] = true.into()), Err(400));
    }
}
