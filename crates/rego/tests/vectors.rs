//! Other projects' policies and their answers, in the folder that the environment variable `VECTORS` names. Without it
//! the test is skipped.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use chrono::DateTime;
use rego::{Answer, Module};
use serde_json::Value;

/// Google's policy for tokens of Confidential Space, over claims of real tokens.
#[test]
fn confidential_space() {
    let Some(folder) = testkit::vectors("rego") else {
        return;
    };
    let rows = std::fs::read_to_string(folder.join("confidential_space_cases.jsonl")).unwrap();
    let rows: Vec<Value> = rows
        .lines()
        .map(|row| serde_json::from_str(row).unwrap())
        .collect();
    assert!(!rows.is_empty());
    for row in rows {
        let (rule, variable) = row["query"].as_str().unwrap().split_once(" = ").unwrap();
        let [module] = &row["modules"].as_array().unwrap()[..] else {
            panic!("{}: not one module", row["id"]);
        };
        let module = Module::parse(module.as_str().unwrap(), rule).unwrap();
        let module = module.with_data(&row["data"]).unwrap();
        let answer = module
            .evaluate(&row["input"], DateTime::UNIX_EPOCH)
            .unwrap();
        let expected = match &row["want_result"][0][variable] {
            Value::Bool(true) => Answer::True,
            value => Answer::Other(value.to_string()),
        };
        assert_eq!(answer, expected, "{}", row["id"]);
    }
}
