//! The function `replace` (cel-go, `ext/strings`). Nested calls multiply the length of text, so that the length of
//! each result is counted before it is made.

use std::sync::Arc;

use cel::extractors::{Arguments, This};
use cel::{ExecutionError, ResolveResult, Value};

use crate::cost::Budget;

const NAME: &str = "replace";

/// The function, for one evaluation.
pub(super) fn replacer(
    budget: &Budget,
) -> impl Fn(This<Arc<String>>, Arguments) -> ResolveResult + Send + Sync + 'static {
    let budget = budget.clone();
    move |This(text), Arguments(arguments)| {
        let (from, to, count) = match arguments.as_slice() {
            [Value::String(from), Value::String(to)] => (from, to, -1),
            [Value::String(from), Value::String(to), Value::Int(count)] => (from, to, *count),
            _ => {
                let types = arguments.iter().map(|a| a.type_of().to_string());
                return Err(ExecutionError::no_such_overload(NAME, types.collect()));
            }
        };
        // All, if the count is negative.
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let found = text.matches(from.as_str()).take(count).count();
        budget.spend_text(NAME, text.len() + found.saturating_mul(to.len()))?;
        let replaced = text.replacen(from.as_str(), to, count);
        Ok(Value::String(replaced.into()))
    }
}
