//! The policies of all resources.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::condition::holds;
use super::member::{Principals, is_member};
use super::policy::{Binding, CONDITIONAL, Change, Policy, check, check_version};
use super::role;
use super::role::custom::CustomRoles;
use crate::services::accounts::Caller;
use crate::status::Status;

/// Policies by resource.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Policies {
    policies: BTreeMap<String, Policy>,
    changes: u64,
}

impl Policies {
    /// The policy of a resource in the requested policy version. Below version 3, a conditional binding
    /// has no condition, and the name of its role is not that of a real role (IAM, "Troubleshoot
    /// `withcond`").
    ///
    /// # Errors
    /// The version does not exist.
    pub fn get(&self, resource: &str, version: u32) -> Result<Policy, Status> {
        check_version(version)?;
        let mut policy = self.policies.get(resource).cloned().unwrap_or_default();
        if policy.etag.is_empty() {
            policy.etag = etag(0);
        }
        if version < CONDITIONAL {
            policy.bindings.iter_mut().for_each(Binding::hide_condition);
        }
        policy.version = match policy.is_conditional() {
            true => CONDITIONAL,
            false => 1,
        };
        Ok(policy)
    }

    /// Replaces the policy of a resource, if its etag is still the one in the change. Without an etag, the
    /// policy is replaced unconditionally, with its conditions (IAM v1, `Policy.etag` and
    /// `Policy.version`).
    ///
    /// # Errors
    /// The policy was changed since it was read, it has conditions and the version is below 3, or the new
    /// policy is invalid.
    pub fn set(
        &mut self,
        resource: &str,
        change: Change,
        principals: Principals<'_>,
    ) -> Result<Policy, Status> {
        let Change {
            policy,
            update_mask,
            ..
        } = change;
        let old = self.get(resource, CONDITIONAL)?;
        check(resource, &policy, principals)?;
        if !policy.etag.is_empty() {
            check_against(&policy, &old)?;
        }
        let mut new = old;
        for field in update_mask.split(',').map(str::trim) {
            match field {
                "" | "bindings" => new.bindings.clone_from(&policy.bindings),
                "auditConfigs" | "audit_configs" => {
                    new.audit_configs.clone_from(&policy.audit_configs);
                }
                "etag" | "version" => {}
                _ => return Err(Status::invalid(format!("Invalid update mask: {field}."))),
            }
        }
        new.bindings.retain(|binding| !binding.members.is_empty());
        self.changes += 1;
        new.etag = etag(self.changes);
        self.policies.insert(resource.to_owned(), new);
        self.get(resource, CONDITIONAL)
    }

    /// Gives a resource that has no policy one with this binding.
    pub fn found(&mut self, resource: &str, binding: Binding) {
        if !self.policies.contains_key(resource) {
            self.changes += 1;
            let policy = Policy {
                bindings: vec![binding],
                etag: etag(self.changes),
                ..Policy::default()
            };
            self.policies.insert(resource.to_owned(), policy);
        }
    }

    /// The resources that have policies.
    pub fn resources(&self) -> impl Iterator<Item = &String> {
        self.policies.keys()
    }

    /// Removes the policy of a resource.
    pub fn remove(&mut self, resource: &str) {
        self.policies.remove(resource);
    }

    /// Whether a policy on one of `resources` (the resource and its parents) grants the caller the
    /// permission at the time `now`, in Unix seconds.
    pub fn allow(
        &self,
        custom: &CustomRoles,
        caller: &Caller,
        permission: &str,
        resources: &[&str],
        now: u64,
    ) -> bool {
        let policies = resources.iter().filter_map(|r| self.policies.get(*r));
        policies.flat_map(|policy| &policy.bindings).any(|binding| {
            role::has(custom, &binding.role, permission)
                && binding.members.iter().any(|m| is_member(caller, m))
                && holds(binding.condition.as_ref(), resources[0], now)
        })
    }
}

fn etag(change: u64) -> String {
    STANDARD.encode(change.to_be_bytes())
}

/// Checks etag and version of a policy against those of the present one. The errors have Google's words.
fn check_against(policy: &Policy, old: &Policy) -> Result<(), Status> {
    if policy.etag != old.etag {
        return Err(Status::aborted());
    }
    let is_conditional = old.is_conditional() || policy.is_conditional();
    match is_conditional && policy.version < CONDITIONAL {
        true => Err(Status::invalid(format!(
            "Specified policy version ({}) cannot be less than the existing policy version \
             ({CONDITIONAL}). For more information, please refer to \
             https://cloud.google.com/iam/docs/policies#versions.",
            policy.version
        ))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protojson::parse;
    use crate::services::accounts::Federated;
    use crate::services::iam::{Grantable, Pool, Pools};
    use crate::services::testing::accounts;
    use serde_json::{Value, json};

    const POOL: &str = "projects/1/locations/global/workloadIdentityPools/pool";
    const KEY: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/k";
    const ROLE: &str = "roles/cloudkms.cryptoKeyDecrypter";

    fn federated() -> Caller {
        Caller::Federated(Federated {
            pool: POOL.parse().unwrap(),
            subject: "s".into(),
            groups: Vec::new(),
            attributes: BTreeMap::new(),
            expires: 9,
        })
    }

    fn policy(etag: &str, condition: Option<&str>) -> Change {
        let condition = condition.map(|text| json!({"title": "t", "expression": text}));
        let member = format!("principalSet://iam.googleapis.com/{POOL}/*");
        change(json!({"policy": {
            "version": 3,
            "bindings": [{"role": ROLE, "members": [member], "condition": condition}],
            "etag": etag,
        }}))
    }

    fn change(value: Value) -> Change {
        parse(value.to_string().as_bytes()).unwrap()
    }

    fn set(policies: &mut Policies, change: Change) -> Result<Policy, Status> {
        let mut pools = Pools::default();
        pools
            .add_pool("1".parse().unwrap(), "pool", Pool::default())
            .unwrap();
        let principals = Principals {
            accounts: &accounts(),
            pools: &pools,
            roles: Grantable {
                custom: &CustomRoles::default(),
                owners: &[],
            },
        };
        policies.set(KEY, change, principals)
    }

    fn policies(condition: Option<&str>) -> Policies {
        let mut policies = Policies::default();
        set(&mut policies, policy("", condition)).unwrap();
        policies
    }

    #[test]
    fn a_stale_etag_is_refused_and_changes_nothing() {
        let mut policies = Policies::default();
        let first = policies.get(KEY, 3).unwrap().etag;
        let changed = set(&mut policies, policy(&first, None)).unwrap();
        assert_ne!(changed.etag, first);
        let stale = change(json!({"policy": {"etag": first}}));
        assert_eq!(set(&mut policies, stale), Err(Status::aborted()));
        assert_eq!(policies.get(KEY, 3), Ok(changed));
    }

    #[test]
    fn a_version_without_conditions_neither_shows_nor_changes_them() {
        let mut policies = policies(Some("true"));
        let before = policies.get(KEY, 3).unwrap();
        let seen = policies.get(KEY, 1).unwrap();
        assert_eq!((seen.version, &seen.etag), (1, &before.etag));
        let role = format!("{ROLE}_withcond_");
        assert!(seen.bindings[0].role.starts_with(&role) && seen.bindings[0].condition.is_none());
        for version in [0, 1] {
            let etag = &seen.etag;
            let unaware = change(json!({"policy": {"version": version, "etag": etag}}));
            let refused = set(&mut policies, unaware).unwrap_err();
            assert_eq!(refused.code, 400);
            assert!(refused.message.starts_with("Specified policy version"));
        }
        assert_eq!(policies.get(KEY, 3), Ok(before));
        assert_eq!(policies.get(KEY, 2).unwrap_err().code, 400);
    }

    #[test]
    fn without_an_etag_a_policy_is_replaced_unconditionally() {
        let mut policies = policies(Some("true"));
        let blind = change(json!({"policy": {"bindings": []}}));
        assert!(set(&mut policies, blind).unwrap().bindings.is_empty());
    }

    #[test]
    fn audit_configs_change_only_if_the_mask_names_them() {
        let mut policies = policies(None);
        let audit =
            json!({"service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ"}]});
        let named = json!({"policy": {"auditConfigs": [audit]}, "updateMask": "auditConfigs"});
        set(&mut policies, change(named)).unwrap();
        let changed = set(&mut policies, policy("", None)).unwrap();
        assert_eq!(json!(changed.audit_configs), json!([audit]));
        assert_eq!(changed.bindings.len(), 1);
    }

    #[test]
    fn permissions_follow_role_member_and_condition() {
        let allow = |condition: Option<&str>, permission| {
            let custom = CustomRoles::default();
            policies(condition).allow(&custom, &federated(), permission, &[KEY], 0)
        };
        let decrypt = "cloudkms.cryptoKeyVersions.useToDecrypt";
        assert!(allow(None, decrypt));
        assert!(!allow(None, "cloudkms.cryptoKeyVersions.useToEncrypt"));
        let is_key = format!("resource.name == '{KEY}'");
        assert!(allow(Some(&is_key), decrypt));
        assert!(!allow(Some("resource.name == 'q'"), decrypt));
    }

    fn refusal(binding: Value) -> String {
        let new = change(json!({"policy": {"version": 3, "bindings": [binding]}}));
        let refused = set(&mut Policies::default(), new).unwrap_err();
        assert_eq!(refused.code, 400);
        refused.message
    }

    #[test]
    fn a_role_of_another_service_is_refused() {
        for role in ["roles/pubsub.publisher", "roles/nope"] {
            let refused = refusal(json!({"role": role, "members": ["user:a@b.example"]}));
            let expected = format!("Role {role} is not supported for this resource.");
            assert_eq!(refused, expected);
        }
    }

    #[test]
    fn a_condition_that_google_cannot_compile_is_refused() {
        for (expression, words) in [
            ("foo", "undeclared reference to 'foo'"),
            ("foo == 1", "undeclared reference to 'foo'"),
            (
                "assertion.sub == 'x'",
                "undeclared reference to 'assertion'",
            ),
            ("resource.name", "not boolean"),
            ("1", "not boolean"),
            ("'a'.", "compiling"),
        ] {
            let condition = json!({"title": "t", "expression": expression});
            let binding =
                json!({"role": ROLE, "members": ["user:a@b.example"], "condition": condition});
            let refused = refusal(binding);
            assert!(refused.contains(words), "{expression}: {refused}");
        }
    }

    #[test]
    fn basic_roles_and_all_users_have_no_conditions() {
        for (role, member) in [("roles/owner", "user:a@b.example"), (ROLE, "allUsers")] {
            let condition = json!({"title": "t", "expression": "true"});
            let binding = json!({"role": role, "members": [member], "condition": condition});
            let refused = refusal(binding);
            assert!(
                refused.starts_with("Conditions are not supported"),
                "{refused}"
            );
        }
    }
}
