//! What Google answers: the policy of a key (IAM v1, `Policy`), a workload identity pool and its providers. Fields that no
//! check reads are left out, and so are unknown ones.

use std::collections::BTreeMap;

use serde::Deserialize;

/// An IAM policy, as it is read with version 3.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
pub struct Policy {
    /// Who has which role.
    #[serde(default)]
    pub bindings: Vec<Binding>,
}

/// A role and its members.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Binding {
    /// The role.
    pub role: String,
    /// The members.
    #[serde(default)]
    pub members: Vec<String>,
    /// When the role applies; without one, always.
    #[serde(default)]
    pub condition: Option<Condition>,
}

/// A condition of a binding (`google.type.Expr`).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Condition {
    /// An expression in CEL.
    pub expression: String,
}

/// A key of Cloud KMS.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Key {
    /// The purpose, such as `ENCRYPT_DECRYPT`.
    pub purpose: String,
    /// The protection level of new versions, such as `HSM`.
    pub protection: String,
    /// The state of the primary version, such as `ENABLED`; `None` if there is no primary version.
    pub primary: Option<String>,
}

/// A workload identity pool.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Pool {
    /// `ACTIVE`, or why it is not.
    #[serde(default)]
    pub state: String,
    /// Whether the pool accepts no token.
    #[serde(default)]
    pub disabled: bool,
}

/// A provider of a pool. One that is not for OpenID Connect has no `oidc`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    /// The name of the resource.
    pub name: String,
    /// `ACTIVE`, or why it is not.
    #[serde(default)]
    pub state: String,
    /// Whether the provider accepts no token.
    #[serde(default)]
    pub disabled: bool,
    /// The expressions that map claims to attributes, by attribute.
    #[serde(default)]
    pub attribute_mapping: BTreeMap<String, String>,
    /// The condition that a token must meet; without one, all tokens are accepted.
    #[serde(default)]
    pub attribute_condition: String,
    /// Whose tokens are accepted.
    #[serde(default)]
    pub oidc: Option<Oidc>,
}

/// An issuer of tokens of OpenID Connect.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Oidc {
    /// The URI of the issuer.
    #[serde(default)]
    pub issuer_uri: String,
    /// The accepted audiences; without one, the name of the provider.
    #[serde(default)]
    pub allowed_audiences: Vec<String>,
    /// Keys that sign tokens in place of those that the issuer publishes.
    #[serde(default)]
    pub jwks_json: String,
}

/// The state of a resource that can be used.
pub const ACTIVE: &str = "ACTIVE";
/// The state of a resource that was deleted and can be restored for 30 days.
pub const DELETED: &str = "DELETED";
