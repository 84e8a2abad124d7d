//! CEL, by the test cases of its specification, and by conditions over the claims of real tokens.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::HashMap;
use std::path::Path;

use expression::google::attribute_condition;
use expression::{Error, Program, Type, Variable, Variables, compile, compile_condition};
use serde_json::Value;

fn rows(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let rows: Vec<_> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(!rows.is_empty());
    rows
}

#[test]
fn conditions_over_claims_of_real_tokens() {
    let Some(folder) = testkit::vectors("confidential-space") else {
        return;
    };
    let mut wrong = Vec::new();
    for row in rows(&folder.join("cel_wif_cases.jsonl")) {
        let claims = std::fs::read(folder.join(row["claims"].as_str().unwrap())).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let assertion = Variables::default().with("assertion", &claims).unwrap();
        let program = compile_condition(row["expr"].as_str().unwrap(), &attribute_condition());
        let found = program.and_then(|program| program.holds(assertion));
        // An error denies access, as a false condition does.
        if found.as_ref().is_ok_and(|found| *found) != (row["expect"] == true) {
            wrong.push(format!("{}: {found:?}", row["id"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn conformance_with_the_language() {
    let Some(folder) = testkit::vectors("cel-spec") else {
        return;
    };
    let mut wrong = Vec::new();
    let rows = rows(&folder.join("wif_tier1.jsonl"));
    for row in &rows {
        let found = value(row);
        if !agrees(&found, &row["expect"]) {
            wrong.push(format!(
                "{}: {}: {found:?}, expected {}",
                row["id"], row["expr"], row["expect"]
            ));
        }
    }
    let asked = rows.len();
    assert!(asked > 50, "{asked}");
    assert!(
        wrong.is_empty(),
        "{} of {asked}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// The value of a row's expression. Types are checked, unless the row says otherwise.
fn value(row: &Value) -> Result<expression::Value, Error> {
    let expression = row["expr"].as_str().unwrap();
    let bindings = row["bindings"].as_object().unwrap();
    let bindings = bindings
        .iter()
        .map(|(name, typed)| (name, typed_value(typed)));
    let declared = bindings
        .clone()
        .map(|(name, value)| Variable::new(name, kind(&value)));
    let declared: Vec<_> = declared.collect();
    let program = match row["disable_check"] == true {
        true => Program::parse(expression),
        false => compile(expression, &declared),
    };
    let variables = bindings.fold(Variables::default(), |variables, (name, value)| {
        variables.with_value(name, value)
    });
    program?.evaluate(variables)
}

/// The value that a row describes by type and text.
fn typed_value(typed: &Value) -> expression::Value {
    let (kind, value) = typed.as_object().unwrap().iter().next().unwrap();
    let text = || value.as_str().unwrap().to_owned();
    let items = || value.as_array().unwrap().iter();
    match kind.as_str() {
        "null" => expression::Value::Null,
        "bool" => expression::Value::Bool(value.as_bool().unwrap()),
        "int" => expression::Value::Int(text().parse().unwrap()),
        "uint" => expression::Value::UInt(text().parse().unwrap()),
        "double" => expression::Value::Float(value.as_f64().unwrap()),
        "string" => text().into(),
        "list" => items().map(typed_value).collect::<Vec<_>>().into(),
        "map" => {
            let pair = |pair: &Value| (text_key(&pair[0]), typed_value(&pair[1]));
            items().map(pair).collect::<HashMap<_, _>>().into()
        }
        other => panic!("no value of type {other}"),
    }
}

fn text_key(typed: &Value) -> String {
    typed["string"].as_str().unwrap().to_owned()
}

/// The type of a variable.
fn kind(value: &expression::Value) -> Type {
    match value {
        expression::Value::Null => Type::Null,
        expression::Value::Bool(_) => Type::Bool,
        expression::Value::Int(_) => Type::Int,
        expression::Value::UInt(_) => Type::Uint,
        expression::Value::Float(_) => Type::Double,
        expression::Value::String(_) => Type::String,
        expression::Value::List(items) => Type::list(items.first().map_or(Type::Dyn, kind)),
        expression::Value::Map(map) => {
            let value = map.map.values().next().map_or(Type::Dyn, kind);
            Type::map(Type::String, value)
        }
        other => panic!("no type of {other:?}"),
    }
}

fn agrees(found: &Result<expression::Value, Error>, expected: &Value) -> bool {
    match (found, &expected["value"]) {
        (Err(_), Value::Null) => expected["error"].is_array(),
        (Ok(found), typed) if typed.is_object() => same(found, typed),
        _ => false,
    }
}

fn same(found: &expression::Value, typed: &Value) -> bool {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (kind, value) = typed.as_object().unwrap().iter().next().unwrap();
    match (found, kind.as_str()) {
        (expression::Value::Null, "null") => true,
        (expression::Value::Bool(found), "bool") => found == value,
        (expression::Value::Int(found), "int") => found.to_string() == text(value),
        (expression::Value::UInt(found), "uint") => found.to_string() == text(value),
        (expression::Value::Float(found), "double") => value.as_f64() == Some(*found),
        (expression::Value::String(found), "string") => **found == text(value),
        (expression::Value::List(found), "list") => {
            let expected = value.as_array().unwrap();
            found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| same(f, e))
        }
        (expression::Value::Map(found), "map") => {
            let expected = value.as_array().unwrap();
            let has = |pair: &Value| {
                let mut pairs = found.map.iter();
                pairs.any(|(k, v)| same(&k.into(), &pair[0]) && same(v, &pair[1]))
            };
            found.map.len() == expected.len() && expected.iter().all(has)
        }
        (expression::Value::Bytes(_) | expression::Value::Opaque(_), _) => {
            panic!("no comparison with {typed}")
        }
        _ => false,
    }
}
