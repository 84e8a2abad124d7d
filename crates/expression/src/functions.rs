//! Functions of conditions that the crate `cel` lacks, or evaluates without limits or otherwise than Google.

mod extract;
mod join;
mod pattern;
mod replace;

use cel::{Context, DeclarationError};

use crate::cost::{Budget, COUNT};
use crate::prepare::{JOIN, MATCHES, REPLACE};

/// Adds the functions, for one evaluation with this budget.
pub(super) fn add(context: &mut Context, budget: &Budget) -> Result<(), DeclarationError> {
    context.add_function("extract", extract::extract)?;
    context.add_function(JOIN, join::joiner(budget))?;
    context.add_function(MATCHES, pattern::matcher(budget))?;
    context.add_function(REPLACE, replace::replacer(budget))?;
    context.add_function(COUNT, budget.counter())
}
