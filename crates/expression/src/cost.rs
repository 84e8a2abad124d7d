//! Limits on the depth of an expression and on the work of evaluating it. The evaluator recurses without
//! limits; these follow Google's own evaluator (cel-go, `MaxRecursionDepth` and `CostLimit`).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::{ExecutionError, ResolveResult, Value};

use crate::Error;
use crate::limits::DEPTH;

/// The largest number of items that one evaluation makes or iterates over.
const ITEMS: usize = 100_000;
/// The number of bytes of text that count as one item.
const TEXT: usize = 16;
/// The name of the function that counts items. No expression can contain it.
pub(super) const COUNT: &str = "@count";

/// Whether the tree is too deep for recursion.
pub(super) fn is_too_deep(expression: &mut IdedExpr) -> bool {
    let mut left = vec![(expression, 1)];
    while let Some((expression, depth)) = left.pop() {
        if depth > DEPTH {
            return true;
        }
        let children = children(&mut expression.expr);
        left.extend(children.into_iter().map(|child| (child, depth + 1)));
    }
    false
}

/// What one evaluation may still cost, in items, and one more: 0 if the limit was exceeded.
#[derive(Clone, Debug)]
pub(super) struct Budget(Arc<AtomicUsize>);

impl Default for Budget {
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(ITEMS + 1)))
    }
}

impl Budget {
    /// The function [`COUNT`], which returns its argument.
    pub(super) fn counter(&self) -> impl Fn(Value) -> ResolveResult + Send + Sync + 'static {
        let budget = self.clone();
        move |range| {
            let left = spend(&range, budget.0.load(Ordering::Relaxed));
            budget.set("comprehension", left)?;
            Ok(range)
        }
    }

    /// Counts text of this length before a function makes it.
    pub(super) fn spend_text(&self, function: &str, bytes: usize) -> Result<(), ExecutionError> {
        self.spend(function, 1 + bytes / TEXT)
    }

    /// Counts items.
    pub(super) fn spend(&self, function: &str, items: usize) -> Result<(), ExecutionError> {
        let left = self.0.load(Ordering::Relaxed);
        self.set(function, left.checked_sub(items))
    }

    fn set(&self, function: &str, left: Option<usize>) -> Result<(), ExecutionError> {
        let left = left.filter(|left| *left > 0);
        self.0.store(left.unwrap_or(0), Ordering::Relaxed);
        match left {
            Some(_) => Ok(()),
            None => Err(ExecutionError::function_error(function, exceeded())),
        }
    }

    /// Whether the limit was exceeded. The error does not always reach the value of an expression: `||` passes over it.
    pub(super) fn check(&self) -> Result<(), Error> {
        match self.0.load(Ordering::Relaxed) {
            0 => Err(Error::Evaluate(exceeded())),
            _ => Ok(()),
        }
    }
}

fn exceeded() -> String {
    format!("more than {ITEMS} items")
}

/// The remaining items after counting `value`; `None` if the limit is exceeded. Nested items count each
/// time that they occur, and text counts by length, because a comprehension can double both in each step.
fn spend(value: &Value, left: usize) -> Option<usize> {
    let left = left.checked_sub(1)?;
    match value {
        Value::String(text) => left.checked_sub(text.len() / TEXT),
        Value::Bytes(bytes) => left.checked_sub(bytes.len() / TEXT),
        Value::List(list) => list.iter().try_fold(left, |left, item| spend(item, left)),
        Value::Map(map) => map
            .map
            .values()
            .try_fold(left, |left, item| spend(item, left)),
        _ => Some(left),
    }
}

pub(super) fn children(expression: &mut Expr) -> Vec<&mut IdedExpr> {
    match expression {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
        Expr::Select(select) => vec![&mut select.operand],
        Expr::List(list) => list.elements.iter_mut().collect(),
        Expr::Call(call) => {
            let target = call.target.as_deref_mut().into_iter();
            target.chain(&mut call.args).collect()
        }
        Expr::Map(map) => map.entries.iter_mut().flat_map(entry).collect(),
        Expr::Struct(message) => message.entries.iter_mut().flat_map(entry).collect(),
        Expr::Comprehension(comprehension) => vec![
            &mut comprehension.iter_range,
            &mut comprehension.accu_init,
            &mut comprehension.loop_cond,
            &mut comprehension.loop_step,
            &mut comprehension.result,
        ],
    }
}

fn entry(entry: &mut cel::common::ast::IdedEntryExpr) -> Vec<&mut IdedExpr> {
    match &mut entry.expr {
        EntryExpr::StructField(field) => vec![&mut field.value],
        EntryExpr::MapEntry(entry) => vec![&mut entry.key, &mut entry.value],
    }
}
