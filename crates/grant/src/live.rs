//! What Google answers: the policy of a key (IAM v1, `Policy`) and of what the key is in, a workload identity pool and its
//! providers. Fields that no check reads are left out, and so are unknown ones.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::role::Roles;
pub use crate::unread::Unread;

/// Everything that an inspection compares.
#[derive(Clone, Debug)]
pub struct Live {
    /// The key.
    pub key: Key,
    /// Its policy.
    pub key_policy: Policy,
    /// The policy of its ring, which the key inherits.
    pub ring_policy: Policy,
    /// What is above the ring, from the inside out: project, folders and organisation. Empty if it was not asked for.
    pub above: Vec<Above>,
    /// The pool; `None` if it does not exist.
    pub pool: Option<Pool>,
    /// All providers of the pool, also those that are deleted.
    pub providers: Vec<Provider>,
    /// What the roles in these policies allow.
    pub roles: Roles,
}

/// A resource that the key's project is in, or the project itself. The key inherits its policy.
#[derive(Clone, Debug)]
pub struct Above {
    /// What it is.
    pub level: Level,
    /// Its name, such as `folders/12`.
    pub name: String,
    /// Its policy.
    pub policy: Result<Policy, Unread>,
}

/// The kinds of resources that projects are in (Resource Manager).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Level {
    /// The project of the key.
    Project,
    /// A folder.
    Folder,
    /// The organisation.
    Organization,
}

/// How far up the policies are read that a key inherits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// To the key ring.
    Ring,
    /// To the organisation.
    All,
}

impl Scope {
    /// What is not read, if anything is not.
    pub fn not_read(self) -> Option<&'static str> {
        match self {
            Self::Ring => Some(
                "policies of the project, its folders and its organisation, which the key inherits",
            ),
            Self::All => None,
        }
    }
}

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

/// Whether a pool or a provider accepts tokens.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
pub struct Status {
    /// `ACTIVE`, or why it is not.
    #[serde(default)]
    pub state: String,
    /// Whether its owner has disabled it.
    #[serde(default)]
    pub disabled: bool,
}

impl Status {
    /// Why no token is accepted; `None` if tokens are.
    pub fn closed(&self) -> Option<String> {
        match (&*self.state, self.disabled) {
            (ACTIVE, false) => None,
            (ACTIVE, true) => Some("disabled".to_owned()),
            ("", _) => Some("without a state".to_owned()),
            (state, _) => Some(state.to_lowercase()),
        }
    }

    /// Whether it was deleted, and can be restored for 30 days.
    pub fn is_deleted(&self) -> bool {
        self.state == DELETED
    }
}

/// A workload identity pool.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Pool {
    /// Whether it accepts tokens.
    #[serde(flatten)]
    pub status: Status,
}

/// A provider of a pool. One that is not for OpenID Connect has no `oidc`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    /// The name of the resource.
    pub name: String,
    /// Whether it accepts tokens.
    #[serde(flatten)]
    pub status: Status,
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
const ACTIVE: &str = "ACTIVE";
/// The state of a resource that was deleted.
const DELETED: &str = "DELETED";
