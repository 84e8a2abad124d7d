//! CEL, by the test cases of its specification, and by conditions over the claims of real tokens.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::Path;

use expression::{Error, Program, Variables};
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
        let program = Program::parse(row["expr"].as_str().unwrap());
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
    let mut asked = 0;
    for row in rows(&folder.join("wif_tier1.jsonl")) {
        // Variables of types that JSON does not distinguish are not tested here.
        if row["bindings"].as_object().is_some_and(|b| !b.is_empty()) {
            continue;
        }
        asked += 1;
        let program = Program::parse(row["expr"].as_str().unwrap());
        let found = program.and_then(|program| program.evaluate(Variables::default()));
        if !agrees(&found, &row["expect"]) {
            wrong.push(format!(
                "{}: {}: {found:?}, expected {}",
                row["id"], row["expr"], row["expect"]
            ));
        }
    }
    assert!(asked > 50, "{asked}");
    assert!(
        wrong.is_empty(),
        "{} of {asked}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
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
