//! The function `join` (cel-go, `ext/strings`). With `split`, nested calls multiply the length of text, so that the
//! length of each result is counted before it is made.

use cel::extractors::{Arguments, This};
use cel::{ExecutionError, ResolveResult, Value};

use crate::cost::Budget;

const JOIN: &str = "join";

/// The function, for one evaluation.
pub(super) fn joiner(
    budget: &Budget,
) -> impl Fn(This<Value>, Arguments) -> ResolveResult + Send + Sync + 'static {
    let budget = budget.clone();
    move |This(list), Arguments(arguments)| {
        let wrong = || {
            let types = std::iter::once(&list).chain(arguments.iter());
            let types = types.map(|value| value.type_of().to_string());
            ExecutionError::no_such_member_overload(JOIN, types.collect())
        };
        let separator = match arguments.as_slice() {
            [] => "",
            [Value::String(separator)] => separator.as_str(),
            _ => return Err(wrong()),
        };
        let Value::List(items) = &list else {
            return Err(wrong());
        };
        let texts = items.iter().map(|item| match item {
            Value::String(text) => Some(text.as_str()),
            _ => None,
        });
        let texts: Vec<_> = texts.collect::<Option<_>>().ok_or_else(wrong)?;
        let lengths = texts.iter().map(|text| text.len() + separator.len());
        budget.spend_text(JOIN, lengths.sum())?;
        Ok(Value::String(texts.join(separator).into()))
    }
}
