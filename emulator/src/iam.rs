//! Policies on resources: who may do what, read and written with etags; and workload identity pools,
//! which say who is let in from outside.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::accounts::{Accounts, Caller, Federated};
use crate::cel::{self, CelError, Variables};
use crate::clock;
use crate::status::Status;

/// Members of one policy at the most (IAM quotas).
const MEMBERS: usize = 1500;

/// A policy (IAM v1, `Policy`).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// 3 where there are conditions.
    #[serde(default)]
    pub version: u32,
    /// Who may do what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bindings: Vec<Binding>,
    /// What the policy was when it was read.
    #[serde(default)]
    pub etag: String,
}

/// One role and who has it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Binding {
    /// The role.
    pub role: String,
    /// Who has it.
    #[serde(default)]
    pub members: Vec<String>,
    /// When they have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
}

/// When a binding holds.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Condition {
    /// A name.
    #[serde(default)]
    pub title: String,
    /// More words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The expression.
    pub expression: String,
}

/// Policies by resource.
#[derive(Debug, Default)]
pub struct Policies {
    policies: BTreeMap<String, Policy>,
    changes: u64,
}

impl Policies {
    /// The policy of a resource, as the version asked for shows it: below 3 conditional bindings
    /// are not shown.
    pub fn get(&self, resource: &str, version: u32) -> Policy {
        let mut policy = self.policies.get(resource).cloned().unwrap_or_default();
        if policy.etag.is_empty() {
            policy.etag = etag(0);
        }
        if version < 3 {
            policy
                .bindings
                .retain(|binding| binding.condition.is_none());
        }
        policy.version = if policy.bindings.iter().any(|b| b.condition.is_some()) {
            3
        } else {
            1
        };
        policy
    }

    /// Replaces the policy of a resource, if it is still the one with this etag.
    ///
    /// # Errors
    /// It is another one by now, or the new one cannot be.
    pub fn set(&mut self, resource: &str, policy: Policy) -> Result<Policy, Status> {
        if policy.etag != self.get(resource, 3).etag {
            return Err(Status::aborted());
        }
        check(&policy)?;
        self.changes += 1;
        let bindings = policy
            .bindings
            .into_iter()
            .filter(|b| !b.members.is_empty())
            .collect();
        let policy = Policy {
            version: 1,
            bindings,
            etag: etag(self.changes),
        };
        self.policies.insert(resource.to_owned(), policy);
        Ok(self.get(resource, 3))
    }

    /// Whether a policy on one of `resources`, the thing itself and what holds it, gives the caller
    /// the permission at the time `now` in Unix seconds.
    pub fn allow(&self, caller: &Caller, permission: &str, resources: &[&str], now: u64) -> bool {
        let bindings = resources
            .iter()
            .filter_map(|resource| self.policies.get(*resource));
        bindings.flat_map(|policy| &policy.bindings).any(|binding| {
            role_has(&binding.role, permission)
                && binding
                    .members
                    .iter()
                    .any(|member| is_member(caller, member))
                && holds(binding.condition.as_ref(), resources[0], now)
        })
    }
}

fn etag(change: u64) -> String {
    STANDARD.encode(change.to_be_bytes())
}

fn check(policy: &Policy) -> Result<(), Status> {
    let members: usize = policy
        .bindings
        .iter()
        .map(|binding| binding.members.len())
        .sum();
    if members > MEMBERS {
        return Err(Status::invalid(format!(
            "The policy has more than {MEMBERS} members."
        )));
    }
    for binding in &policy.bindings {
        if permissions(&binding.role).is_empty() {
            let message = format!("Role {} is not supported for this resource.", binding.role);
            return Err(Status::invalid(message));
        }
        if let Some(bad) = binding
            .members
            .iter()
            .find(|member| !is_well_formed(member))
        {
            let message = format!("Invalid value for member: {bad}.");
            return Err(Status::invalid(message));
        }
        if let Some(condition) = &binding.condition {
            if policy.version != 3 {
                let message = "Conditions need policy version 3.";
                return Err(Status::invalid(message));
            }
            cel::compile(&condition.expression).map_err(|e| Status::invalid(e.to_string()))?;
        }
    }
    Ok(())
}

const KINDS: [&str; 5] = [
    "user:",
    "serviceAccount:",
    "group:",
    "principal://iam.googleapis.com/",
    "principalSet://iam.googleapis.com/",
];

fn is_well_formed(member: &str) -> bool {
    member == "allUsers"
        || member == "allAuthenticatedUsers"
        || KINDS.iter().any(|kind| {
            member
                .strip_prefix(kind)
                .is_some_and(|rest| !rest.is_empty())
        })
}

/// Whether the caller is who a policy names (IAM, principal identifiers).
fn is_member(caller: &Caller, member: &str) -> bool {
    if member == "allUsers" || member == "allAuthenticatedUsers" {
        return true;
    }
    match caller {
        Caller::ServiceAccount(address) => member
            .strip_prefix("serviceAccount:")
            .is_some_and(|named| named == address),
        Caller::Federated(federated) => is_federated_member(federated, member),
    }
}

fn is_federated_member(federated: &Federated, member: &str) -> bool {
    let pool = format!("iam.googleapis.com/{}/", federated.pool);
    let subject = format!("principal://{pool}subject/{}", federated.subject);
    let Some(set) = member.strip_prefix(&format!("principalSet://{pool}")) else {
        return member == subject;
    };
    let named = set
        .strip_prefix("attribute.")
        .and_then(|set| set.split_once('/'));
    let has =
        |(name, value): (&str, &str)| federated.attributes.get(name).is_some_and(|v| v == value);
    set == "*" || named.is_some_and(has)
}

fn holds(condition: Option<&Condition>, resource: &str, now: u64) -> bool {
    let Some(condition) = condition else {
        return true;
    };
    // Every error denies: a condition about attributes that are not here, too.
    let circumstances = circumstances(resource, now);
    circumstances
        .and_then(|circumstances| cel::condition(&condition.expression, circumstances))
        .unwrap_or(false)
}

/// What a condition may ask about (IAM, attribute reference for conditions).
fn circumstances(resource: &str, now: u64) -> Result<Variables, CelError> {
    #[derive(Serialize)]
    struct Request {
        time: ::cel::Timestamp,
    }
    let request = Request {
        time: clock::at(now).fixed_offset().into(),
    };
    Variables::default()
        .with("request", &request)?
        .with("resource", &json!({"name": resource}))
}

fn role_has(role: &str, permission: &str) -> bool {
    permissions(role).iter().any(|held| {
        *held == permission
            || held
                .strip_suffix('*')
                .is_some_and(|all| permission.starts_with(all))
    })
}

/// What the roles that this cloud knows allow (IAM, roles and permissions).
fn permissions(role: &str) -> &'static [&'static str] {
    const DECRYPT: &str = "cloudkms.cryptoKeyVersions.useToDecrypt";
    const ENCRYPT: &str = "cloudkms.cryptoKeyVersions.useToEncrypt";
    const SIGN: &str = "cloudkms.cryptoKeyVersions.useToSign";
    const PUBLIC: &str = "cloudkms.cryptoKeyVersions.viewPublicKey";
    match role {
        "roles/cloudkms.cryptoKeyDecrypter" => &[DECRYPT],
        "roles/cloudkms.cryptoKeyEncrypter" => &[ENCRYPT],
        "roles/cloudkms.cryptoKeyEncrypterDecrypter" => &[ENCRYPT, DECRYPT],
        "roles/cloudkms.signer" => &[SIGN],
        "roles/cloudkms.signerVerifier" => &[SIGN, PUBLIC],
        "roles/cloudkms.publicKeyViewer" => &[PUBLIC],
        "roles/cloudkms.admin" => &["cloudkms.cryptoKeys.*", "cloudkms.keyRings.*"],
        "roles/pubsub.publisher" => &["pubsub.topics.publish"],
        "roles/pubsub.subscriber" => &["pubsub.subscriptions.consume"],
        "roles/pubsub.admin" => &["pubsub.topics.*", "pubsub.subscriptions.*"],
        "roles/owner" => &["*"],
        _ => &[],
    }
}

/// A provider of a workload identity pool (IAM v1, `WorkloadIdentityPoolProvider`).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
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
#[serde(rename_all = "camelCase")]
pub struct Oidc {
    /// The issuer.
    pub issuer_uri: String,
    /// For whom tokens must be; the provider itself where there is none.
    #[serde(default)]
    pub allowed_audiences: Vec<String>,
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

    /// A provider.
    pub fn provider(&self, pool: &str, id: &str) -> Option<&Provider> {
        self.pools.get(pool)?.get(id)
    }
}

fn check_provider(provider: &Provider) -> Result<(), Status> {
    let audiences = &provider.oidc.allowed_audiences;
    if audiences.len() > 10
        || audiences
            .iter()
            .any(|audience| audience.chars().count() > 256)
    {
        return Err(Status::invalid(
            "At most 10 audiences of at most 256 characters are allowed.",
        ));
    }
    if !provider.attribute_mapping.contains_key("google.subject") {
        return Err(Status::invalid(
            "The attribute mapping must map google.subject.",
        ));
    }
    if provider.attribute_condition.trim() == "true" {
        return Err(Status::invalid(
            "The attribute condition must not be a literal true.",
        ));
    }
    let condition = Some(&provider.attribute_condition).filter(|condition| !condition.is_empty());
    for expression in provider.attribute_mapping.values().chain(condition) {
        cel::compile(expression).map_err(|error| Status::invalid(error.to_string()))?;
    }
    Ok(())
}

/// The permission, or the refusal that names it.
///
/// # Errors
/// Neither owns the caller the project nor does a policy allow it.
pub fn demand(
    caller: &Caller,
    permission: &str,
    resources: &[&str],
    accounts: &Accounts,
    policies: &Policies,
    now: u64,
) -> Result<(), Status> {
    let project = resources[0].split('/').nth(1).unwrap_or_default();
    let allowed =
        accounts.owns(caller, project) || policies.allow(caller, permission, resources, now);
    match allowed {
        true => Ok(()),
        false => Err(Status::denied(permission, resources[0])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: &str = "projects/1/locations/global/workloadIdentityPools/p";

    fn federated() -> Caller {
        Caller::Federated(Federated {
            pool: POOL.into(),
            subject: "s".into(),
            attributes: [("image_digest".to_owned(), "sha256:1".to_owned())].into(),
            expires: 9,
        })
    }

    #[test]
    fn members_are_who_they_say_and_nobody_else() {
        let member = |text: &str| is_member(&federated(), text);
        let set = format!("principalSet://iam.googleapis.com/{POOL}");
        assert!(member(&format!("{set}/attribute.image_digest/sha256:1")));
        assert!(member(&format!("{set}/*")));
        assert!(member(&format!(
            "principal://iam.googleapis.com/{POOL}/subject/s"
        )));
        assert!(!member(&format!("{set}/attribute.image_digest/sha256:12")));
        assert!(!member(&format!("{set}/attribute.image_digest/sha256:")));
        assert!(!member(&format!(
            "{}/attribute.image_digest/sha256:1",
            set.replace("/p", "/q")
        )));
        assert!(!member("serviceAccount:s"));
    }

    fn policy(etag: String, condition: Option<&str>) -> Policy {
        let condition = condition.map(|expression| Condition {
            title: "t".into(),
            description: String::new(),
            expression: expression.into(),
        });
        let members = vec![format!("principalSet://iam.googleapis.com/{POOL}/*")];
        let role = "roles/cloudkms.cryptoKeyDecrypter".to_owned();
        Policy {
            version: 3,
            bindings: vec![Binding {
                role,
                members,
                condition,
            }],
            etag,
        }
    }

    #[test]
    fn a_stale_etag_is_refused_and_changes_nothing() {
        let mut policies = Policies::default();
        let first = policies.get("r", 3);
        let set = policies.set("r", policy(first.etag.clone(), None)).unwrap();
        assert_ne!(set.etag, first.etag);
        assert_eq!(
            policies.set(
                "r",
                Policy {
                    etag: first.etag,
                    ..Policy::default()
                }
            ),
            Err(Status::aborted())
        );
        assert_eq!(policies.get("r", 3), set);
    }

    #[test]
    fn permissions_follow_role_member_and_condition() {
        let allow = |condition, permission| {
            let mut policies = Policies::default();
            let etag = policies.get("r", 3).etag;
            policies.set("r", policy(etag, condition)).unwrap();
            // 2026-01-01
            policies.allow(&federated(), permission, &["r"], 1_767_225_600)
        };
        let decrypt = "cloudkms.cryptoKeyVersions.useToDecrypt";
        assert!(allow(None, decrypt));
        assert!(!allow(None, "cloudkms.cryptoKeyVersions.useToEncrypt"));
        assert!(allow(Some("resource.name == 'r'"), decrypt));
        assert!(!allow(Some("resource.name == 'q'"), decrypt));
        assert!(!allow(Some("resource.nothing == 'q'"), decrypt));
        let later = "request.time < timestamp('2026-01-02T00:00:00Z')";
        let earlier = "request.time < timestamp('2025-12-31T00:00:00Z')";
        assert!(allow(Some(later), decrypt));
        assert!(!allow(Some(earlier), decrypt));
        assert!(!allow(Some("'request.time' == resource.name"), decrypt));
    }
}
