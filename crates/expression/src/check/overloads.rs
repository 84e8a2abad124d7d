//! The functions of conditions, with their overloads (CEL, "Language Definition", section "List of Standard
//! Definitions"; cel-go, `common/stdlib` and `ext/strings`).

use std::collections::HashMap;
use std::sync::LazyLock;

use cel::common::ast::operators;

use crate::Type;
use crate::Type::{Bool, Bytes, Double, Duration, Dyn, Int, String, Timestamp, Uint};

/// How a function is called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Style {
    /// `f(x)`
    Global,
    /// `x.f()`
    Member,
}

/// One of the signatures of a function.
#[derive(Debug)]
pub(super) struct Overload {
    pub(super) style: Style,
    /// The types of the arguments, that of the target first.
    pub(super) arguments: Vec<Type>,
    pub(super) result: Type,
}

/// The number of parameters that overloads have: `A` and `B`.
pub(super) const PARAMETERS: usize = 2;
const A: Type = Type::Parameter(0);
const B: Type = Type::Parameter(1);

type Table = HashMap<&'static str, Vec<Overload>>;

/// The overloads of a function; `None` if there is no such function.
pub(super) fn of(function: &str) -> Option<&'static [Overload]> {
    static TABLE: LazyLock<Table> = LazyLock::new(table);
    TABLE.get(function).map(Vec::as_slice)
}

fn table() -> Table {
    let mut table = Table::new();
    logic(&mut table);
    arithmetic(&mut table);
    comparisons(&mut table);
    collections(&mut table);
    conversions(&mut table);
    text(&mut table);
    times(&mut table);
    table
}

fn add(table: &mut Table, style: Style, name: &'static str, arguments: &[Type], result: Type) {
    table.entry(name).or_default().push(Overload {
        style,
        arguments: arguments.to_vec(),
        result,
    });
}

fn global(table: &mut Table, name: &'static str, arguments: &[Type], result: Type) {
    add(table, Style::Global, name, arguments, result);
}

fn member(table: &mut Table, name: &'static str, arguments: &[Type], result: Type) {
    add(table, Style::Member, name, arguments, result);
}

fn logic(table: &mut Table) {
    global(table, operators::CONDITIONAL, &[Bool, A, A], A);
    for name in [operators::LOGICAL_NOT, operators::NOT_STRICTLY_FALSE] {
        global(table, name, &[Bool], Bool);
    }
    for name in [operators::LOGICAL_AND, operators::LOGICAL_OR] {
        global(table, name, &[Bool, Bool], Bool);
    }
    for name in [operators::EQUALS, operators::NOT_EQUALS] {
        global(table, name, &[A, A], Bool);
    }
}

fn arithmetic(table: &mut Table) {
    let list = || Type::list(A);
    for kind in [Bytes, Double, Duration, Int, list(), String, Uint] {
        global(table, operators::ADD, &[kind.clone(), kind.clone()], kind);
    }
    global(table, operators::ADD, &[Duration, Timestamp], Timestamp);
    global(table, operators::ADD, &[Timestamp, Duration], Timestamp);
    for kind in [Double, Duration, Int, Uint] {
        let both = [kind.clone(), kind.clone()];
        global(table, operators::SUBSTRACT, &both, kind);
    }
    global(
        table,
        operators::SUBSTRACT,
        &[Timestamp, Duration],
        Timestamp,
    );
    global(
        table,
        operators::SUBSTRACT,
        &[Timestamp, Timestamp],
        Duration,
    );
    for kind in [Double, Int, Uint] {
        for name in [operators::MULTIPLY, operators::DIVIDE] {
            global(table, name, &[kind.clone(), kind.clone()], kind.clone());
        }
    }
    for kind in [Int, Uint] {
        global(
            table,
            operators::MODULO,
            &[kind.clone(), kind.clone()],
            kind,
        );
    }
    for kind in [Double, Int] {
        global(
            table,
            operators::NEGATE,
            std::slice::from_ref(&kind),
            kind.clone(),
        );
    }
}

fn comparisons(table: &mut Table) {
    let names = [
        operators::LESS,
        operators::LESS_EQUALS,
        operators::GREATER,
        operators::GREATER_EQUALS,
    ];
    let numbers = [Int, Uint, Double];
    for name in names {
        for kind in [Bool, String, Bytes, Timestamp, Duration] {
            global(table, name, &[kind.clone(), kind], Bool);
        }
        for one in &numbers {
            for other in &numbers {
                global(table, name, &[one.clone(), other.clone()], Bool);
            }
        }
    }
}

fn collections(table: &mut Table) {
    let (list, map) = (Type::list(A), Type::map(A, B));
    global(table, operators::INDEX, &[list.clone(), Int], A);
    global(table, operators::INDEX, &[map.clone(), A], B);
    global(table, operators::IN, &[A, list.clone()], Bool);
    global(table, operators::IN, &[A, map.clone()], Bool);
    for kind in [Bytes, list, map, String] {
        let kind = std::slice::from_ref(&kind);
        global(table, "size", kind, Int);
        member(table, "size", kind, Int);
    }
}

fn conversions(table: &mut Table) {
    global(table, "dyn", &[A], Dyn);
    global(table, "type", &[A], Type::Type);
    let conversions: [(&str, Type, &[Type]); 8] = [
        ("bool", Bool, &[Bool, String]),
        ("bytes", Bytes, &[Bytes, String]),
        ("double", Double, &[Double, Int, String, Uint]),
        ("duration", Duration, &[Duration, String]),
        (
            "int",
            Int,
            &[Int, Double, Duration, String, Timestamp, Uint],
        ),
        (
            "string",
            String,
            &[String, Bool, Bytes, Double, Duration, Int, Timestamp, Uint],
        ),
        ("timestamp", Timestamp, &[Timestamp, Int, String]),
        ("uint", Uint, &[Uint, Double, Int, String]),
    ];
    for (name, result, from) in conversions {
        for kind in from {
            global(table, name, std::slice::from_ref(kind), result.clone());
        }
    }
}

fn text(table: &mut Table) {
    let texts = || Type::list(String);
    global(table, "matches", &[String, String], Bool);
    for name in ["contains", "endsWith", "startsWith", "matches"] {
        member(table, name, &[String, String], Bool);
    }
    for name in ["lowerAscii", "trim", "upperAscii"] {
        member(table, name, &[String], String);
    }
    for name in ["indexOf", "lastIndexOf"] {
        member(table, name, &[String, String], Int);
        member(table, name, &[String, String, Int], Int);
    }
    member(table, "charAt", &[String, Int], String);
    member(table, "extract", &[String, String], String);
    member(table, "join", &[texts()], String);
    member(table, "join", &[texts(), String], String);
    member(table, "replace", &[String, String, String], String);
    member(table, "replace", &[String, String, String, Int], String);
    member(table, "split", &[String, String], texts());
    member(table, "split", &[String, String, Int], texts());
    member(table, "substring", &[String, Int], String);
    member(table, "substring", &[String, Int, Int], String);
}

fn times(table: &mut Table) {
    let of_both = ["getHours", "getMilliseconds", "getMinutes", "getSeconds"];
    let of_timestamp = [
        "getDate",
        "getDayOfMonth",
        "getDayOfWeek",
        "getDayOfYear",
        "getFullYear",
        "getMonth",
    ];
    for name in of_timestamp.into_iter().chain(of_both) {
        member(table, name, &[Timestamp], Int);
        member(table, name, &[Timestamp, String], Int);
    }
    for name in of_both {
        member(table, name, &[Duration], Int);
    }
}
