//! What an edit would change in the policy of a key, for people and for programs.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use google::kms::Key;
use google_cloud_iam_v1::model::Policy;
use serde_json::{Value, json};

/// The difference between two policies of a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    key: String,
    etag: String,
    added: BTreeSet<Grantee>,
    removed: BTreeSet<Grantee>,
    kept: usize,
}

/// A member in a binding.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Grantee {
    role: String,
    condition: Option<Condition>,
    member: String,
}

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Condition {
    expression: String,
    title: String,
}

impl Plan {
    /// The difference between a policy that was read and an edited one.
    pub(crate) fn between(key: &Key, old: &Policy, new: &Policy) -> Self {
        let (before, after) = (grantees(old), grantees(new));
        Self {
            key: key.to_string(),
            etag: BASE64.encode(&old.etag),
            added: after.difference(&before).cloned().collect(),
            removed: before.difference(&after).cloned().collect(),
            kept: before.intersection(&after).count(),
        }
    }

    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }

    /// The same for programs.
    pub fn to_json(&self) -> Value {
        let changes = self.changes().into_iter();
        let changes = changes.map(|(grantee, sign)| {
            let condition = grantee.condition.as_ref();
            let condition =
                condition.map(|it| json!({"title": it.title, "expression": it.expression}));
            json!({
                "change": match sign { '+' => "add", _ => "remove" },
                "role": grantee.role,
                "member": grantee.member,
                "condition": condition,
            })
        });
        json!({
            "key": self.key,
            "etag": self.etag,
            "changes": changes.collect::<Vec<_>>(),
            "unchanged": self.kept,
        })
    }

    /// All changes, by role and condition; what is removed comes before what is added.
    fn changes(&self) -> Vec<(&Grantee, char)> {
        let removed = self.removed.iter().map(|grantee| (grantee, '-'));
        let added = self.added.iter().map(|grantee| (grantee, '+'));
        let mut changes: Vec<_> = removed.chain(added).collect();
        changes.sort_by_key(|(grantee, sign)| {
            (
                &grantee.role,
                &grantee.condition,
                *sign == '+',
                &grantee.member,
            )
        });
        changes
    }
}

fn grantees(policy: &Policy) -> BTreeSet<Grantee> {
    let bindings = policy.bindings.iter();
    let all = bindings.flat_map(|granted| {
        let condition = granted.condition.as_ref().map(|found| Condition {
            expression: found.expression.clone(),
            title: found.title.clone(),
        });
        granted.members.iter().map(move |member| Grantee {
            role: granted.role.clone(),
            condition: condition.clone(),
            member: member.clone(),
        })
    });
    all.collect()
}

/// A line for the key, one for each role and condition, one for each member that changes, and the rest as a number.
impl fmt::Display for Plan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return write!(out, "{} stays as it is", self.key);
        }
        writeln!(out, "policy of {}, etag {}", self.key, self.etag)?;
        let mut heading = None;
        for (grantee, sign) in self.changes() {
            let new = Some((&grantee.role, &grantee.condition));
            if heading != new {
                write!(out, "  {}", grantee.role)?;
                match &grantee.condition {
                    Some(condition) => writeln!(out, ", if {}", condition.expression)?,
                    None => writeln!(out)?,
                }
                heading = new;
            }
            writeln!(out, "    {sign} {}", grantee.member)?;
        }
        write!(out, "unchanged: {} other member(s)", self.kept)
    }
}

#[cfg(test)]
mod tests {
    use google_cloud_iam_v1::model::Binding;

    use super::*;

    fn policy(members: &[&str], timed: &[&str]) -> Policy {
        let role = "roles/cloudkms.cryptoKeyDecrypter";
        let plain = Binding::new().set_role(role);
        let mut conditional = Binding::new().set_role(role);
        let condition = conditional.condition.get_or_insert_default();
        "request.time < timestamp('2026-11-29T09:00:00Z')".clone_into(&mut condition.expression);
        Policy::new().set_etag("etag").set_bindings([
            plain.set_members(members.to_vec()),
            conditional.set_members(timed.to_vec()),
        ])
    }

    fn plan() -> Plan {
        let key = "projects/p/locations/global/keyRings/r/cryptoKeys/k";
        let (old, new) = (policy(&["a", "b"], &[]), policy(&["b", "c"], &["a"]));
        Plan::between(&key.parse().unwrap(), &old, &new)
    }

    #[test]
    fn a_plan_is_read_at_a_glance() {
        let expected = "policy of projects/p/locations/global/keyRings/r/cryptoKeys/k, etag ZXRhZw==\n  \
            roles/cloudkms.cryptoKeyDecrypter\n    - a\n    + c\n  \
            roles/cloudkms.cryptoKeyDecrypter, if request.time < timestamp('2026-11-29T09:00:00Z')\n    + a\n\
            unchanged: 1 other member(s)";
        assert_eq!(plan().to_string(), expected);
    }

    #[test]
    fn programs_see_the_same() {
        let found = plan().to_json();
        let of =
            |index: usize, field: &str| found["changes"][index][field].as_str().unwrap().to_owned();
        let changes: Vec<_> = (0..3)
            .map(|at| (of(at, "change"), of(at, "member")))
            .collect();
        let expected = [("remove", "a"), ("add", "c"), ("add", "a")];
        assert_eq!(
            changes,
            expected.map(|(change, member)| (change.into(), member.into()))
        );
        assert_eq!(found["changes"][0]["condition"], Value::Null);
        assert_eq!(found["unchanged"], 1);
    }
}
