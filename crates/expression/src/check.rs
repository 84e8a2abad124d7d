//! The checks of an expression that do not need the types of its variables.

use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedEntryExpr, IdedExpr, LiteralValue};
use cel::common::ast::{SelectExpr, operators};

use crate::{Error, Type, Variable};

/// The names of types, which every expression can name (CEL, "Language Definition", section "Values").
const TYPES: [&str; 10] = [
    "bool",
    "bytes",
    "double",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "type",
    "uint",
];
/// The only variable whose members can be of any type: the claims of a token.
const DYNAMIC: &str = "assertion";
/// Functions with bools as arguments and result.
const LOGICAL: [&str; 4] = [
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::NOT_STRICTLY_FALSE,
];
/// Functions whose result is not a bool.
const NOT_BOOLEAN: [&str; 27] = [
    operators::ADD,
    operators::SUBSTRACT,
    operators::MULTIPLY,
    operators::DIVIDE,
    operators::MODULO,
    operators::NEGATE,
    "bytes",
    "charAt",
    "double",
    "duration",
    "extract",
    "format",
    "indexOf",
    "int",
    "join",
    "lastIndexOf",
    "lowerAscii",
    "replace",
    "size",
    "split",
    "string",
    "substring",
    "timestamp",
    "trim",
    "type",
    "uint",
    "upperAscii",
];

/// The type of an expression, as far as it is known.
pub(super) fn check(tree: &IdedExpr, declared: &[Variable]) -> Result<Type, Error> {
    let mut known: Vec<_> = declared.iter().map(|v| v.name.as_str()).collect();
    match undeclared(tree, &mut known) {
        Some(name) => Err(Error::Undeclared(name.to_owned())),
        None if is_boolean(tree) => Ok(Type::Dyn),
        None => Ok(Type::Type),
    }
}

/// Whether a value of one type can be one of another.
pub(super) fn is_assignable(found: &Type, expected: &Type) -> bool {
    *found == Type::Dyn || *expected != Type::Bool
}

/// The first name in an expression that is neither among `known` nor bound by a macro.
fn undeclared<'a>(expression: &'a IdedExpr, known: &mut Vec<&'a str>) -> Option<&'a str> {
    match &expression.expr {
        Expr::Unspecified | Expr::Literal(_) => None,
        Expr::Ident(name) => {
            // A leading dot names the same variable outside of any package.
            let name = name.trim_start_matches('.');
            (!known.contains(&name) && !TYPES.contains(&name)).then_some(name)
        }
        Expr::Select(select) => undeclared(&select.operand, known),
        Expr::List(list) => list
            .elements
            .iter()
            .find_map(|item| undeclared(item, known)),
        Expr::Call(call) => {
            let target = call.target.as_deref().into_iter();
            let mut parts = target.chain(&call.args);
            parts.find_map(|part| undeclared(part, known))
        }
        Expr::Map(map) => map.entries.iter().find_map(|entry| of_entry(entry, known)),
        // No message type is declared.
        Expr::Struct(message) => Some(&message.type_name),
        Expr::Comprehension(comprehension) => of_comprehension(comprehension, known),
    }
}

fn of_entry<'a>(entry: &'a IdedEntryExpr, known: &mut Vec<&'a str>) -> Option<&'a str> {
    match &entry.expr {
        EntryExpr::StructField(field) => undeclared(&field.value, known),
        EntryExpr::MapEntry(entry) => {
            undeclared(&entry.key, known).or_else(|| undeclared(&entry.value, known))
        }
    }
}

fn of_comprehension<'a>(
    comprehension: &'a ComprehensionExpr,
    known: &mut Vec<&'a str>,
) -> Option<&'a str> {
    let outside = [&comprehension.iter_range, &comprehension.accu_init];
    if let Some(name) = outside.into_iter().find_map(|part| undeclared(part, known)) {
        return Some(name);
    }
    let outer = known.len();
    known.extend([comprehension.iter_var.as_str(), &comprehension.accu_var]);
    known.extend(comprehension.iter_var2.as_deref());
    let inside = [
        &comprehension.loop_cond,
        &comprehension.loop_step,
        &comprehension.result,
    ];
    let found = inside.into_iter().find_map(|part| undeclared(part, known));
    known.truncate(outer);
    found
}

/// Whether the value of an expression can be a bool.
fn is_boolean(expression: &IdedExpr) -> bool {
    match &expression.expr {
        Expr::Unspecified => true,
        Expr::Literal(literal) => matches!(literal, LiteralValue::Boolean(_)),
        // All variables are objects, and types are not bools.
        Expr::Ident(_) | Expr::List(_) | Expr::Map(_) | Expr::Struct(_) => false,
        Expr::Select(select) => select.test || can_select_bool(select),
        Expr::Call(call) => match call.func_name.as_str() {
            operators::CONDITIONAL => call.args.iter().skip(1).all(is_boolean),
            name if LOGICAL.contains(&name) => call.args.iter().all(is_boolean),
            name => !NOT_BOOLEAN.contains(&name),
        },
        Expr::Comprehension(comprehension) => match &comprehension.result.expr {
            Expr::Ident(name) if *name == comprehension.accu_var => {
                is_boolean(&comprehension.accu_init)
            }
            _ => is_boolean(&comprehension.result),
        },
    }
}

/// Whether a selected member can be a bool: the members of all variables but one are of other types.
fn can_select_bool(select: &SelectExpr) -> bool {
    match &select.operand.expr {
        Expr::Ident(name) => name.trim_start_matches('.') == DYNAMIC,
        Expr::Select(select) => can_select_bool(select),
        _ => true,
    }
}
