//! Functions of conditions that the crate `cel` lacks, or evaluates without limits or otherwise than Google.

mod extract;
mod pattern;
mod replace;

use cel::{Context, DeclarationError};

use crate::cost::{Budget, COUNT};
use crate::prepare::{MATCHES, REPLACE};

/// Adds the functions, for one evaluation.
pub(super) fn add(context: &mut Context) -> Result<(), DeclarationError> {
    let budget = Budget::default();
    context.add_function("extract", extract::extract)?;
    context.add_function(MATCHES, pattern::matcher(&budget))?;
    context.add_function(REPLACE, replace::replacer(&budget))?;
    context.add_function(COUNT, budget.counter())
}
