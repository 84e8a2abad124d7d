//! IAM policies in requests and answers.

use serde_json::Value;

use super::call::Call;
use crate::services::iam::{Change, Policy};
use crate::status::Status;

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
