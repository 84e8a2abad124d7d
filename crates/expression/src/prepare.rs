//! Replaces parts of an expression whose evaluation by the crate `cel` has no limit, or differs from Google's.

use cel::common::ast::{CallExpr, Expr, IdedExpr};

use crate::cost::{COUNT, children};

/// Functions that this crate evaluates, with names that no expression can contain.
pub(super) const JOIN: &str = "@join";
/// As [`JOIN`].
pub(super) const MATCHES: &str = "@matches";
/// As [`JOIN`].
pub(super) const REPLACE: &str = "@replace";

/// Wraps the range of each comprehension and the target of each `split` in a call of [`COUNT`], and renames functions.
pub(super) fn prepare(tree: &mut IdedExpr) {
    match &mut tree.expr {
        Expr::Comprehension(comprehension) => {
            let range = std::mem::take(&mut comprehension.iter_range);
            comprehension.iter_range = counted(range);
        }
        Expr::Call(call) => match call.func_name.as_str() {
            "join" => JOIN.clone_into(&mut call.func_name),
            "matches" => MATCHES.clone_into(&mut call.func_name),
            "replace" => REPLACE.clone_into(&mut call.func_name),
            "split" => {
                call.target = call.target.take().map(|text| Box::new(counted(*text)));
            }
            _ => (),
        },
        _ => (),
    }
    children(&mut tree.expr).into_iter().for_each(prepare);
}

fn counted(range: IdedExpr) -> IdedExpr {
    IdedExpr {
        id: range.id,
        expr: Expr::Call(CallExpr {
            func_name: COUNT.to_owned(),
            target: None,
            args: vec![range],
        }),
    }
}
