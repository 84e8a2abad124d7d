use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
/// Characters of a pool's or a provider's ID, of its name and of its description (IAM v1,
/// `workloadIdentityPools.create` and `providers.create`).
const ID: std::ops::RangeInclusive<usize> = 4..=32;
const DISPLAY_NAME: usize = 32;
const DESCRIPTION: usize = 256;
/// What IDs of Google's own begin with.
const RESERVED: &str = "gcp-";

/// A workload identity pool (IAM v1, `WorkloadIdentityPool`).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Pool {
    /// A name for people.
    pub display_name: String,
    /// More words for people.
    pub description: String,
    /// Whether no provider of it admits a token.
    pub disabled: bool,
    /// Not for the caller to say.
    #[serde(skip_serializing)]
    name: String,
    #[serde(skip_serializing)]
    state: String,
    #[serde(skip_serializing)]
    mode: String,
}

/// A provider of a workload identity pool (IAM v1, `WorkloadIdentityPoolProvider`).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provider {
    /// A name for people.
    #[serde(default)]
    pub display_name: String,
    /// More words for people.
    #[serde(default)]
    pub description: String,
    /// Whether it admits no token.
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
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
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
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Pools {
    pools: BTreeMap<String, Kept>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Kept {
    pool: Pool,
    providers: BTreeMap<String, Provider>,
}

impl Pools {
    /// Makes a pool; gives its name.
    ///
    /// # Errors
    /// There is one, or no pool can have that ID or those words.
    pub fn add_pool(&mut self, parent: &str, id: &str, pool: Pool) -> Result<String, Status> {
        check_id("workload_identity_pool_id", id)?;
        check_words(&pool.display_name, &pool.description)?;
        let name = format!("{parent}/{id}");
        if self.pools.contains_key(&name) {
            return Err(Status::exists("Requested entity already exists"));
        }
        let providers = BTreeMap::new();
        self.pools.insert(name.clone(), Kept { pool, providers });
        Ok(name)
    }

    /// Whether there is a pool of this name.
    pub fn has(&self, name: &str) -> bool {
        self.pools.contains_key(name)
    }

    /// Makes a provider in a pool.
    ///
    /// # Errors
    /// No pool, there is one, or the provider cannot be.
    pub fn add_provider(&mut self, pool: &str, id: &str, provider: Provider) -> Result<(), Status> {
        check_id("workload_identity_pool_provider_id", id)?;
        check_provider(&provider)?;
        let pool = self.pools.get_mut(pool).map(|kept| &mut kept.providers);
        let pool = pool.ok_or_else(|| Status::not_found("Requested entity was not found."))?;
        if pool.contains_key(id) {
            return Err(Status::exists("Requested entity already exists"));
        }
        pool.insert(id.to_owned(), provider);
        Ok(())
    }

    /// A provider that admits tokens.
    pub fn provider(&self, pool: &str, id: &str) -> Option<&Provider> {
        let kept = self.pools.get(pool).filter(|kept| !kept.pool.disabled)?;
        let provider = kept.providers.get(id);
        provider.filter(|provider| !provider.disabled)
    }
}

fn check_id(field: &str, id: &str) -> Result<(), Status> {
    let is_known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !ID.contains(&id.len()) || !id.bytes().all(is_known) {
        return Err(Status::invalid(format!(
            "Invalid value for {field}: {id}. This value should be 4-32 characters, and may contain \
             the characters [a-z0-9-]."
        )));
    }
    match id.starts_with(RESERVED) {
        true => Err(Status::invalid(format!(
            "Invalid value for {field}: {id}. The prefix `{RESERVED}` is reserved for use by Google, \
             and may not be specified."
        ))),
        false => Ok(()),
    }
}

fn check_words(display_name: &str, description: &str) -> Result<(), Status> {
    for (what, text, limit) in [
        ("display name", display_name, DISPLAY_NAME),
        ("description", description, DESCRIPTION),
    ] {
        if text.chars().count() > limit {
            return Err(Status::invalid(format!(
                "{what} must be less than or equal to {limit} characters"
            )));
        }
    }
    Ok(())
}

/// The issuer is where its keys are found: an HTTPS address without query and fragment (OpenID Connect
/// Discovery 1.0, section 3).
fn check_issuer(uri: &str) -> Result<(), Status> {
    let parsed = reqwest::Url::parse(uri).ok();
    let is_right = parsed.is_some_and(|url| {
        url.scheme() == "https"
            && url.host_str().is_some_and(|host| !host.is_empty())
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
    });
    match is_right {
        true => Ok(()),
        false => Err(Status::invalid(format!(
            "Invalid OIDC issuer URI: {uri}. Must be an HTTPS endpoint."
        ))),
    }
}

fn check_provider(provider: &Provider) -> Result<(), Status> {
    if !provider.oidc.jwks_json.is_empty() {
        return Err(Status::unimplemented(
            "oidc.jwksJson is not emulated: the only keys are the attestation service's own.",
        ));
    }
    check_words(&provider.display_name, &provider.description)?;
    check_issuer(&provider.oidc.issuer_uri)?;
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
                "Invalid mapped attribute key: {target}. Custom mapped attributes must be in \
                 format 'attribute.{{custom_attribute}}'"
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
mod tests;
