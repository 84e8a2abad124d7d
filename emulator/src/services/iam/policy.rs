//! Policies as messages (IAM v1), and which of them are valid.

use content::Digest;
use content::json::null_is_default;
use serde::{Deserialize, Serialize};

use super::condition::{self, Condition};
use super::member::Principals;
use super::role;
use crate::protojson::{Enumeration, Ignored, integer};
use crate::status::Status;

/// The largest number of members of one policy (IAM quotas).
const MEMBERS: usize = 1500;
/// The policy version with conditions; the earlier versions are 0 and 1.
pub(super) const CONDITIONAL: u32 = 3;

/// A policy (IAM v1, `Policy`).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// The policy version; 3 if there are conditions.
    #[serde(default, deserialize_with = "integer")]
    pub version: u32,
    /// The bindings of members to roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bindings: Vec<Binding>,
    /// The audit configuration: stored, without effect.
    #[serde(
        default,
        alias = "audit_configs",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub audit_configs: Vec<AuditConfig>,
    /// The etag of the policy that was read.
    #[serde(default, deserialize_with = "null_is_default")]
    pub etag: String,
}

/// A role and its members.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// The role.
    #[serde(default, deserialize_with = "null_is_default")]
    pub role: String,
    /// The members, as principal identifiers.
    #[serde(default)]
    pub members: Vec<String>,
    /// The condition, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
}

/// The audit configuration of a service (IAM v1, `AuditConfig`).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct AuditConfig {
    #[serde(deserialize_with = "null_is_default")]
    service: String,
    #[serde(alias = "audit_log_configs")]
    audit_log_configs: Vec<AuditLogConfig>,
}

#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct AuditLogConfig {
    #[serde(alias = "log_type")]
    log_type: LogType,
    #[serde(alias = "exempted_members", skip_serializing_if = "Vec::is_empty")]
    exempted_members: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", try_from = "Enumeration")]
enum LogType {
    #[default]
    #[serde(rename = "LOG_TYPE_UNSPECIFIED")]
    Unspecified,
    AdminRead,
    DataWrite,
    DataRead,
}

impl TryFrom<Enumeration> for LogType {
    type Error = String;

    fn try_from(value: Enumeration) -> Result<Self, Self::Error> {
        match value.name(&[(1, "ADMIN_READ"), (2, "DATA_WRITE"), (3, "DATA_READ")]) {
            "" => Ok(Self::Unspecified),
            "ADMIN_READ" => Ok(Self::AdminRead),
            "DATA_WRITE" => Ok(Self::DataWrite),
            "DATA_READ" => Ok(Self::DataRead),
            other => Err(format!("unknown log type {other}")),
        }
    }
}

/// A new policy, and the fields to replace (IAM v1, `SetIamPolicyRequest`).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    #[serde(default)]
    resource: Ignored<String>,
    /// The new policy.
    pub policy: Policy,
    /// The names of the fields to replace, separated by commas; only the bindings if it is empty.
    #[serde(default, alias = "update_mask", deserialize_with = "null_is_default")]
    pub update_mask: String,
}

impl Policy {
    pub(super) fn is_conditional(&self) -> bool {
        self.bindings.iter().any(|b| b.condition.is_some())
    }
}

impl Binding {
    pub(super) fn hide_condition(&mut self) {
        if let Some(condition) = self.condition.take() {
            let digest = Digest::of(condition.expression.as_bytes()).hex();
            self.role = format!("{}_withcond_{}", self.role, &digest[..20]);
        }
    }

    fn check(&self, resource: &str, principals: Principals<'_>) -> Result<(), Status> {
        if !principals.roles.includes(&self.role, resource) {
            let message = format!("Role {} is not supported for this resource.", self.role);
            return Err(Status::invalid(message));
        }
        let mut members = self.members.iter();
        members.try_for_each(|member| principals.check(member))?;
        match &self.condition {
            Some(condition) => {
                self.check_conditional()?;
                condition::check(condition)
            }
            None => Ok(()),
        }
    }

    /// Checks that the binding can have a condition (IAM, "Overview of IAM Conditions", limitations).
    fn check_conditional(&self) -> Result<(), Status> {
        let is_public =
            |member: &String| ["allUsers", "allAuthenticatedUsers"].contains(&&**member);
        if role::is_basic(&self.role) {
            let message = format!(
                "Conditions are not supported for the basic role {}.",
                self.role
            );
            return Err(Status::invalid(message));
        }
        match self.members.iter().find(|member| is_public(member)) {
            Some(member) => Err(Status::invalid(format!(
                "Conditions are not supported for the member {member}."
            ))),
            None => Ok(()),
        }
    }
}

pub(super) fn check_version(version: u32) -> Result<(), Status> {
    match version {
        0 | 1 | CONDITIONAL => Ok(()),
        _ => Err(Status::invalid(format!(
            "Invalid policy version: {version}."
        ))),
    }
}

pub(super) fn check(
    resource: &str,
    policy: &Policy,
    principals: Principals<'_>,
) -> Result<(), Status> {
    check_version(policy.version)?;
    let members: usize = policy.bindings.iter().map(|b| b.members.len()).sum();
    if members > MEMBERS {
        return Err(Status::invalid(format!(
            "The policy has more than {MEMBERS} members."
        )));
    }
    let mut bindings = policy.bindings.iter();
    bindings.try_for_each(|binding| binding.check(resource, principals))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protojson::parse;
    use serde_json::{Value, json};

    const KEY: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/k";
    const ROLE: &str = "roles/cloudkms.cryptoKeyDecrypter";

    fn change(value: Value) -> Change {
        parse(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_change_is_a_message() {
        let binding = json!({"role": ROLE, "members": ["user:a@b.example"]});
        let policy = json!({"version": "3", "bindings": [binding], "etag": null});
        let body = json!({"policy": policy, "update_mask": "bindings", "resource": KEY});
        assert_eq!(change(body).policy.bindings.len(), 1);
        for (body, name) in [
            (json!({"policy": [1, [], [], ""]}), "policy"),
            (json!([{"bindings": []}, ""]), ""),
            (json!({"policy": {"bindings": [[ROLE, []]]}}), ""),
            (
                json!({"policy": {"bindings": [{"members": [], "roles": ROLE}]}}),
                "roles",
            ),
            (json!({"policy": {"auditConfigs": [{"foo": 1}]}}), "foo"),
            (json!({"policy": {}, "Updatemask": ""}), "Updatemask"),
        ] {
            let refused = parse::<Change>(body.to_string().as_bytes()).unwrap_err();
            let words = format!("Invalid JSON payload received. Unknown name \"{name}\"");
            assert!(refused.message.starts_with(&words), "{}", refused.message);
        }
    }
}
