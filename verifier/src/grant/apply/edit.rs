//! Edits of a policy. Each changes the members that it names, and keeps everything else.

use google_cloud_iam_v1::model::{Binding as Granted, Policy};

use super::retire::Retirement;

/// The lowest policy version in which conditions are returned and kept.
pub(super) const POLICY_VERSION: i32 = 3;

/// An edit of the policy of a key.
#[derive(Clone, Debug)]
pub enum Edit {
    /// A member gets a role, without a condition.
    Add {
        /// The role.
        role: String,
        /// The member.
        member: String,
    },
    /// A member loses a role, under any condition.
    Remove {
        /// The role.
        role: String,
        /// The member.
        member: String,
    },
    /// All other images lose a role, now or later.
    Retire(Retirement),
}

impl Edit {
    /// The edited policy; `None` if it already is so.
    pub fn apply(&self, policy: Policy) -> Option<Policy> {
        match self {
            Self::Add { role, member } => add(policy, role, member),
            Self::Remove { role, member } => remove(policy, role, member),
            Self::Retire(retirement) => retirement.apply(policy).map(keep_conditions),
        }
    }
}

/// Adds `member` to a binding without a condition; `None` if the binding already has it.
pub(super) fn add(mut policy: Policy, role: &str, member: &str) -> Option<Policy> {
    let ours = |granted: &&mut Granted| granted.role == role && granted.condition.is_none();
    match policy.bindings.iter_mut().find(ours) {
        Some(granted) if granted.members.iter().any(|known| known == member) => return None,
        Some(granted) => granted.members.push(member.to_owned()),
        None => {
            let granted = Granted::new().set_role(role).set_members([member]);
            policy.bindings.push(granted);
        }
    }
    Some(keep_conditions(policy))
}

/// Removes `member` from the role, under any condition; `None` if the role does not have it. A binding that had no
/// other member is removed too, because the service refuses empty bindings.
pub(super) fn remove(mut policy: Policy, role: &str, member: &str) -> Option<Policy> {
    let mut removed = false;
    for granted in &mut policy.bindings {
        if granted.role == role {
            let before = granted.members.len();
            granted.members.retain(|known| known != member);
            removed |= granted.members.len() != before;
        }
    }
    policy
        .bindings
        .retain(|granted| granted.role != role || !granted.members.is_empty());
    removed.then(|| keep_conditions(policy))
}

/// Sets the version to 3: a policy that is written with a lower version loses the conditions in other bindings.
fn keep_conditions(policy: Policy) -> Policy {
    let conditional = policy
        .bindings
        .iter()
        .any(|granted| granted.condition.is_some());
    match conditional {
        true => policy.set_version(POLICY_VERSION),
        false => policy,
    }
}

#[cfg(test)]
mod tests {
    use google_cloud_iam_v1::model::AuditConfig;

    use super::*;

    const ROLE: &str = "roles/cloudkms.cryptoKeyDecrypter";
    const OURS: &str = "principalSet://iam.googleapis.com/pool/attribute.image_digest/sha256:aa";

    fn foreign() -> Policy {
        let conditional = serde_json::json!({
            "role": ROLE,
            "members": ["user:other@example.com"],
            "condition": {"title": "office hours", "expression": "request.time.getHours() < 17"}
        });
        let plain = Granted::new()
            .set_role("roles/owner")
            .set_members(["user:boss@example.com"]);
        Policy::new()
            .set_etag("etag")
            .set_version(3)
            .set_audit_configs([AuditConfig::new().set_service("allServices")])
            .set_bindings([serde_json::from_value(conditional).unwrap(), plain])
    }

    #[test]
    fn adding_keeps_everything_that_is_not_ours() {
        let added = add(foreign(), ROLE, OURS).unwrap();
        assert_eq!(added.bindings[..2], foreign().bindings[..]);
        assert_eq!(added.audit_configs, foreign().audit_configs);
        assert_eq!((added.version, &added.etag), (3, &foreign().etag));
        assert_eq!(added.bindings[2].members, [OURS]);
        assert!(added.bindings[2].condition.is_none());
    }

    #[test]
    fn adding_twice_writes_once() {
        let added = add(foreign(), ROLE, OURS).unwrap();
        assert_eq!(add(added, ROLE, OURS), None);
    }

    #[test]
    fn removing_undoes_adding_and_no_more() {
        let added = add(foreign(), ROLE, OURS).unwrap();
        assert_eq!(remove(added, ROLE, OURS), Some(foreign()));
        assert_eq!(remove(foreign(), ROLE, OURS), None);
    }

    #[test]
    fn a_second_digest_joins_the_first() {
        let second = OURS.replace("sha256:aa", "sha256:bb");
        let added = add(add(foreign(), ROLE, OURS).unwrap(), ROLE, &second).unwrap();
        assert_eq!(added.bindings[2].members, [OURS, &second]);
        let left = remove(added, ROLE, OURS).unwrap();
        assert_eq!(left.bindings[2].members, [second]);
    }

    #[test]
    fn conditions_of_others_force_version_three() {
        let policy = foreign().set_version(0);
        assert_eq!(add(policy, ROLE, OURS).unwrap().version, 3);
    }
}
