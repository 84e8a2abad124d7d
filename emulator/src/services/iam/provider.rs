//! Workload identity pools and their providers.

use std::collections::{BTreeMap, BTreeSet};

use content::json::null_is_default;
use expression::google::{
    ATTRIBUTES_LIMIT, MAPPING_LIMIT, attribute_condition, attribute_mapping, mapped,
};
use expression::{compile_as, compile_condition};
use google::{ProjectNumber, identity};
use serde::{Deserialize, Serialize};

use crate::protojson::{Enumeration, Ignored, NotEmulated, Object};
use crate::status::Status;

mod lifecycle;

pub use self::lifecycle::{Alteration, Existence, Providers};

// The limits of IAM v1, `WorkloadIdentityPoolProvider`. A condition has the limit of all expressions.
/// The largest number of audiences of a provider.
const AUDIENCES: usize = 10;
/// The largest length of an audience, in characters.
const AUDIENCE: usize = 256;
// The limits of IAM v1, `workloadIdentityPools.create` and `providers.create`.
/// The largest length of a display name, in characters.
const DISPLAY_NAME: usize = 32;
/// The largest length of a description, in characters.
const DESCRIPTION: usize = 256;
/// The prefix of IDs that Google reserves.
const RESERVED: &str = "gcp-";

/// A workload identity pool (IAM v1, `WorkloadIdentityPool`).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Pool {
    /// The display name.
    #[serde(alias = "display_name", deserialize_with = "null_is_default")]
    pub display_name: String,
    /// The description.
    #[serde(deserialize_with = "null_is_default")]
    pub description: String,
    /// Whether the pool is disabled, so that its providers reject all tokens.
    #[serde(deserialize_with = "null_is_default")]
    pub disabled: bool,
    #[serde(skip_serializing)]
    name: Ignored<String>,
    #[serde(skip_serializing)]
    state: Ignored<Enumeration>,
    #[serde(skip_serializing, alias = "expire_time")]
    expire_time: Ignored<String>,
    #[serde(skip_serializing)]
    mode: Mode,
    #[serde(skip_serializing, alias = "inline_certificate_issuance_config")]
    inline_certificate_issuance_config: NotEmulated<Object>,
    #[serde(skip_serializing, alias = "inline_trust_config")]
    inline_trust_config: NotEmulated<Object>,
}

/// What a pool is for (`Mode`): only the federation of external identities is emulated.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Enumeration")]
struct Mode;

impl TryFrom<Enumeration> for Mode {
    type Error = String;

    fn try_from(value: Enumeration) -> Result<Self, Self::Error> {
        match value.name(&[(1, "FEDERATION_ONLY"), (2, "TRUST_DOMAIN")]) {
            "" | "FEDERATION_ONLY" => Ok(Self),
            other => Err(format!("{other} is not supported")),
        }
    }
}

/// A provider of a workload identity pool (IAM v1, `WorkloadIdentityPoolProvider`).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provider {
    #[serde(default, skip_serializing)]
    name: Ignored<String>,
    /// The display name.
    #[serde(default, alias = "display_name", deserialize_with = "null_is_default")]
    pub display_name: String,
    /// The description.
    #[serde(default, deserialize_with = "null_is_default")]
    pub description: String,
    #[serde(default, skip_serializing)]
    state: Ignored<Enumeration>,
    /// Whether the provider is disabled, so that it rejects all tokens.
    #[serde(default, deserialize_with = "null_is_default")]
    pub disabled: bool,
    #[serde(default, skip_serializing, alias = "expire_time")]
    expire_time: Ignored<String>,
    #[serde(default, skip_serializing)]
    aws: NotEmulated<Option<Object>>,
    #[serde(default, skip_serializing)]
    saml: NotEmulated<Option<Object>>,
    #[serde(default, skip_serializing)]
    x509: NotEmulated<Option<Object>>,
    /// The issuer of the tokens.
    pub oidc: Oidc,
    /// The expressions in CEL that map claims to attributes, by attribute.
    #[serde(default, alias = "attribute_mapping")]
    pub attribute_mapping: BTreeMap<String, String>,
    /// The condition in CEL that a token must meet; empty accepts all.
    #[serde(
        default,
        alias = "attribute_condition",
        deserialize_with = "null_is_default"
    )]
    pub attribute_condition: String,
}

/// An issuer of tokens (OpenID Connect).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Oidc {
    /// The URI of the issuer.
    #[serde(alias = "issuer_uri")]
    pub issuer_uri: String,
    /// The accepted audiences; if empty, the name of the provider.
    #[serde(default, alias = "allowed_audiences")]
    pub allowed_audiences: Vec<String>,
    /// Keys in place of those that the issuer publishes: not emulated, so refused unless empty.
    #[serde(
        default,
        alias = "jwks_json",
        deserialize_with = "null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    jwks_json: String,
}

/// Pools and providers by name.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Pools {
    pools: BTreeMap<identity::Pool, Entry>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Entry {
    pool: Pool,
    #[serde(default)]
    deleted: bool,
    providers: BTreeMap<String, Provider>,
    #[serde(default)]
    deleted_providers: BTreeSet<String>,
}

impl Pools {
    /// Creates a pool in the project and returns its name.
    ///
    /// # Errors
    /// The pool exists already, or its ID, display name or description is invalid.
    pub fn add_pool(
        &mut self,
        project: ProjectNumber,
        id: &str,
        pool: Pool,
    ) -> Result<identity::Pool, Status> {
        let name = identity::Pool::new(project, id);
        let name = name.ok_or_else(|| invalid_id("workload_identity_pool_id", id))?;
        check_texts(&pool.display_name, &pool.description)?;
        if self.pools.contains_key(&name) {
            return Err(Status::exists("Requested entity already exists"));
        }
        let entry = Entry {
            pool,
            deleted: false,
            providers: BTreeMap::new(),
            deleted_providers: BTreeSet::new(),
        };
        self.pools.insert(name.clone(), entry);
        Ok(name)
    }

    /// Whether a pool with this name exists.
    pub fn has(&self, name: &identity::Pool) -> bool {
        self.pools.contains_key(name)
    }

    /// Creates a provider in a pool and returns its name.
    ///
    /// # Errors
    /// The pool does not exist, the provider exists already, or it is invalid.
    pub fn add_provider(
        &mut self,
        pool: &identity::Pool,
        id: &str,
        provider: Provider,
    ) -> Result<identity::Provider, Status> {
        let name = identity::Provider::new(pool.clone(), id);
        let name = name.ok_or_else(|| invalid_id("workload_identity_pool_provider_id", id))?;
        check_provider(&provider)?;
        let pool = self.pools.get_mut(pool).map(|kept| &mut kept.providers);
        let pool = pool.ok_or_else(|| Status::not_found("Requested entity was not found."))?;
        if pool.contains_key(id) {
            return Err(Status::exists("Requested entity already exists"));
        }
        pool.insert(id.to_owned(), provider);
        Ok(name)
    }

    /// A pool, also a disabled one.
    pub fn get_pool(&self, name: &identity::Pool) -> Option<&Pool> {
        self.pools.get(name).map(|kept| &kept.pool)
    }

    /// A provider, also a disabled one.
    pub fn get_provider(&self, name: &identity::Provider) -> Option<&Provider> {
        self.pools.get(name.pool())?.providers.get(name.id())
    }

    /// A provider; `None` if it or its pool is disabled, deleted or does not exist.
    pub fn provider(&self, name: &identity::Provider) -> Option<&Provider> {
        let kept = self.pools.get(name.pool());
        let kept = kept.filter(|kept| !kept.pool.disabled && !kept.deleted)?;
        let provider = kept.providers.get(name.id());
        let is_deleted = kept.deleted_providers.contains(name.id());
        provider.filter(|provider| !provider.disabled && !is_deleted)
    }
}

fn invalid_id(field: &str, id: &str) -> Status {
    let rule = match id.starts_with(RESERVED) {
        true => format!(
            "The prefix `{RESERVED}` is reserved for use by Google, and may not be specified."
        ),
        false => {
            "This value should be 4-32 characters, and may contain the characters [a-z0-9-].".into()
        }
    };
    Status::invalid(format!("Invalid value for {field}: {id}. {rule}"))
}

fn check_texts(display_name: &str, description: &str) -> Result<(), Status> {
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

/// Checks the URI of an issuer: HTTPS, without query and fragment (OpenID Connect Discovery 1.0
/// section 3).
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
    check_texts(&provider.display_name, &provider.description)?;
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
        condition => compile_condition(condition, &attribute_condition())
            .map(drop)
            .map_err(|error| Status::invalid(error.to_string())),
    }
}

fn check_mapping(mapping: &BTreeMap<String, String>) -> Result<(), Status> {
    if !mapping.contains_key("google.subject") {
        return Err(Status::invalid(
            "The attribute mapping must map google.subject.",
        ));
    }
    let is_custom = |target: &&String| target.starts_with("attribute.");
    if mapping.keys().filter(is_custom).count() > ATTRIBUTES_LIMIT {
        return Err(Status::invalid(format!(
            "At most {ATTRIBUTES_LIMIT} custom attributes are allowed."
        )));
    }
    for (target, expression) in mapping {
        let kind = mapped(target).ok_or_else(|| {
            Status::invalid(format!(
                "Invalid mapped attribute key: {target}. Custom mapped attributes must be in \
                 format 'attribute.{{custom_attribute}}'"
            ))
        })?;
        if expression.chars().count() > MAPPING_LIMIT {
            return Err(Status::invalid(format!(
                "The attribute mapping of {target} has more than {MAPPING_LIMIT} characters."
            )));
        }
        compile_as(expression, &attribute_mapping(), &kind)
            .map_err(|error| Status::invalid(error.to_string()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
