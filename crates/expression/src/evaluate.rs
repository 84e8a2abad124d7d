//! Evaluation, with the functions that Google adds.

use cel::common::ast::IdedExpr;
use cel::{Context, Value};

use crate::cost::Budget;
use crate::{Error, Variables, functions, parse};

/// The value of an expression that was prepared.
///
/// # Errors
/// The expression has no value, or evaluation exceeds the limit on its cost.
pub(super) fn evaluate(tree: &IdedExpr, variables: Variables) -> Result<Value, Error> {
    let mut context = Context::with_env(parse::environment()?);
    for (name, value) in variables {
        context.add_variable_from_value(name, value);
    }
    let budget = Budget::default();
    let added = functions::add(&mut context, &budget);
    added.map_err(|error| Error::Evaluate(error.to_string()))?;
    let value = Value::resolve(tree, &context);
    budget.check()?;
    value.map_err(|error| Error::Evaluate(error.to_string()))
}
