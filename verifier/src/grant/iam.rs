//! Grants as the `bindings` of an IAM policy, for tools that merge or review them.

use serde_json::{Value, json};

use crate::binding::Binding;

/// The binding as it stands in a policy (IAM v1 `Policy`). No etag: this is no whole policy, and
/// must be merged, not set.
pub fn policy(binding: &Binding) -> Value {
    json!({"bindings": [{"role": binding.role(), "members": [binding.member()]}]})
}
