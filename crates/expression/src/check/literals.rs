//! Literals that can never have a value: cel-go evaluates constant parts when an expression is compiled
//! (`cel/validator.go`).

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedEntryExpr, IdedExpr, LiteralValue};

use crate::{Error, Variables, evaluate, prepare};

/// Functions whose only literal argument must be valid: patterns, times and durations.
const FUNCTIONS: [&str; 3] = ["duration", "matches", "timestamp"];

/// Evaluates one of [`FUNCTIONS`] if its last argument is a literal.
pub(super) fn check_call(call: &CallExpr) -> Result<(), Error> {
    let function = call.func_name.as_str();
    let literal = call.args.last().filter(|tree| is_text(tree));
    let Some(literal) = literal.filter(|_| FUNCTIONS.contains(&function)) else {
        return Ok(());
    };
    let mut call = call.clone();
    let others = call.target.as_deref_mut().into_iter().chain(&mut call.args);
    others.for_each(|argument| *argument = literal.clone());
    let mut tree = IdedExpr {
        id: 0,
        expr: Expr::Call(call),
    };
    prepare::prepare(&mut tree);
    evaluate::evaluate(&tree, Variables::default())
        .map(drop)
        .map_err(|error| Error::Literal {
            function: function.to_owned(),
            reason: match error {
                Error::Evaluate(reason) => reason,
                other => other.to_string(),
            },
        })
}

fn is_text(tree: &IdedExpr) -> bool {
    matches!(&tree.expr, Expr::Literal(LiteralValue::String(_)))
}

/// Checks that no two keys of a map are equal.
pub(super) fn check_keys(entries: &[IdedEntryExpr]) -> Result<(), Error> {
    let mut seen: Vec<&LiteralValue> = Vec::new();
    for entry in entries {
        let EntryExpr::MapEntry(entry) = &entry.expr else {
            continue;
        };
        let Expr::Literal(key) = &entry.key.expr else {
            continue;
        };
        if seen.contains(&key) {
            return Err(Error::Key(format!("{:?}", key.to_val())));
        }
        seen.push(key);
    }
    Ok(())
}
