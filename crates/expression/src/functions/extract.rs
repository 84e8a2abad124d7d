//! The function `extract`, which Google adds to CEL.

use std::sync::Arc;

use cel::extractors::This;
use cel::{ExecutionError, ResolveResult, Value};

/// `text.extract('before{name}after')`: the text between `before` and `after`, or up to the end if
/// `after` is empty; empty if they do not occur (IAM, "Extract function" of condition attributes).
pub(super) fn extract(This(text): This<Arc<String>>, template: Arc<String>) -> ResolveResult {
    let parts = template.split_once('{');
    let parts = parts.and_then(|(before, rest)| Some((before, rest.split_once('}')?.1)));
    let Some((before, after)) = parts else {
        let reason = format!("{template:?} has no part in braces");
        return Err(ExecutionError::function_error("extract", reason));
    };
    let rest = text.split_once(before).map(|(_, rest)| rest);
    let found = rest.and_then(|rest| match after {
        "" => Some(rest),
        _ => rest.split_once(after).map(|(found, _)| found),
    });
    Ok(Value::String(found.unwrap_or_default().to_owned().into()))
}
