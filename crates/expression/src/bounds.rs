//! Limits on the depth of an expression and on the work of evaluating it. The evaluator recurses without
//! limits; these follow Google's own evaluator (cel-go, `MaxRecursionDepth` and `CostLimit`).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr};
use cel::{ExecutionError, ResolveResult, Value};

/// The largest depth of nested expressions (the default of cel-go).
pub(super) const DEPTH: usize = 250;
/// The largest number of items that the comprehensions of one evaluation iterate over.
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

/// Wraps the range of each comprehension in a call of [`COUNT`].
pub(super) fn count_ranges(expression: &mut IdedExpr) {
    if let Expr::Comprehension(comprehension) = &mut expression.expr {
        let range = std::mem::take(&mut comprehension.iter_range);
        comprehension.iter_range = IdedExpr {
            id: range.id,
            expr: Expr::Call(CallExpr {
                func_name: COUNT.to_owned(),
                target: None,
                args: vec![range],
            }),
        };
    }
    children(&mut expression.expr)
        .into_iter()
        .for_each(count_ranges);
}

/// The function that [`count_ranges`] inserts, for one evaluation.
pub(super) fn counter() -> impl Fn(Value) -> ResolveResult + Send + Sync + 'static {
    let left = Arc::new(AtomicUsize::new(ITEMS));
    move |range| match spend(&range, left.load(Ordering::Relaxed)) {
        Some(rest) => {
            left.store(rest, Ordering::Relaxed);
            Ok(range)
        }
        None => Err(ExecutionError::function_error(
            "comprehension",
            format!("more than {ITEMS} items"),
        )),
    }
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

fn children(expression: &mut Expr) -> Vec<&mut IdedExpr> {
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
