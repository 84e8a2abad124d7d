//! IAM policies in requests and answers.

use content::json::null_is_default;
use serde::Deserialize;
use serde_json::Value;

use super::call::Call;
use crate::protojson::{Ignored, integer};
use crate::services::iam::{Change, Policy};
use crate::status::Status;

/// The body of `testIamPermissions` (IAM v1, `TestIamPermissionsRequest`).
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Test {
    resource: Ignored<String>,
    #[serde(deserialize_with = "null_is_default")]
    permissions: Vec<String>,
}

/// The body of `getIamPolicy` where it is a POST (IAM v1, `GetIamPolicyRequest`).
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Get {
    resource: Ignored<String>,
    #[serde(deserialize_with = "null_is_default")]
    options: Options,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Options {
    #[serde(alias = "requested_policy_version", deserialize_with = "integer")]
    requested_policy_version: u32,
}

impl Get {
    /// The policy version that is requested.
    pub(super) fn version(&self) -> u32 {
        self.options.requested_policy_version.max(1)
    }
}

/// The permissions that a call asks about.
pub(super) fn asked(call: &Call) -> Result<Vec<String>, Status> {
    let Test { permissions, .. } = call.message()?;
    match permissions
        .iter()
        .any(|permission| permission.contains('*'))
    {
        true => Err(Status::invalid("Wildcards are not allowed in permissions.")),
        false => Ok(permissions),
    }
}

/// A policy as an answer.
pub(super) fn answer(policy: &Policy) -> Result<Value, Status> {
    serde_json::to_value(policy).map_err(|_| Status::internal())
}

/// The policy version that a call requests.
pub(super) fn version(call: &Call) -> Result<u32, Status> {
    match call.parameter("options.requestedPolicyVersion") {
        "" => Ok(1),
        text => text
            .parse()
            .map_err(|_| Status::invalid("Invalid policy version.")),
    }
}

/// The new policy in a call.
pub(super) fn change(call: &Call) -> Result<Change, Status> {
    call.message()
}
