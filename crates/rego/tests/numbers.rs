//! Documents of a few bytes that would make a large value.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use chrono::DateTime;
use rego::{Answer, Error, Module};
use serde_json::{Value, json};

fn ask(body: &str, input: &Value) -> Result<Answer, Error> {
    let source = format!("package signature\nallow {{ {body} }}");
    let module = Module::parse(&source, Module::COSIGN_RULE).unwrap();
    module.evaluate(input, DateTime::UNIX_EPOCH)
}

/// As the text of an exponent of nine digits would, which takes hours.
fn number() -> Value {
    json!({"$serde_json::private::Number": "1e20000"})
}

#[track_caller]
fn check_refused(body: &str, input: &Value) {
    let answer = ask(body, input);
    assert!(matches!(answer, Err(Error::Evaluation(_))), "{answer:?}");
}

#[test]
fn an_object_is_not_read_as_a_number() {
    for input in [number(), json!({"a": [{"b": number()}]})] {
        check_refused("input", &input);
    }
    let text = number().to_string();
    let unfinished = text.trim_end_matches('}');
    for text in [text.as_str(), unfinished, "[1", "x"] {
        check_refused("json.unmarshal(input.text)", &json!({"text": text}));
        check_refused("to_number(input.text)", &json!({"text": text}));
    }
    check_refused("json.is_valid(input.text)", &json!({"text": text}));
    for function in ["units.parse", "units.parse_bytes"] {
        for text in ["1e20000", "1E2_0_0_0_0", "1e20000Ki"] {
            check_refused(&format!("{function}(input.text)"), &json!({"text": text}));
        }
    }
}

#[test]
fn a_small_number_does_not_make_a_large_value() {
    for body in [
        "count(numbers.range(1, input.n)) > 0",
        "count(numbers.range(input.n, 1)) > 0",
        "not numbers.range(1, input.n)",
        "count(numbers.range_step(1, input.n, 1)) > 0",
        "bits.lsh(1, input.n) > 0",
    ] {
        for n in [2_000_000, 1_000_000_000_000, i64::MAX, -i64::MAX] {
            if n > 0 || !body.contains("lsh") {
                check_refused(body, &json!({ "n": n }));
            }
        }
    }
    // They do what they did otherwise.
    for body in [
        "numbers.range(1, 3) == [1, 2, 3]",
        "numbers.range(3, 1) == [3, 2, 1]",
        "numbers.range_step(0, 6, 3) == [0, 3, 6]",
        "bits.lsh(1, 70) == 1180591620717411303424",
    ] {
        assert_eq!(ask(body, &json!({})).unwrap(), Answer::True, "{body}");
    }
}

#[test]
fn other_text_is_read_as_before() {
    for (body, text) in [
        ("json.unmarshal(input.text).a == 1", "{\"a\": 1}"),
        ("json.unmarshal(input.text) == [1.5, null]", "[1.5, null]"),
        ("json.is_valid(input.text)", "{}"),
        ("not json.is_valid(input.text)", "{"),
        ("to_number(input.text) == 1.5", "1.5"),
        ("to_number(true) == 1", ""),
        ("units.parse(input.text) == 2000", "2K"),
        ("units.parse_bytes(input.text) == 2048", "2KiB"),
    ] {
        let answer = ask(body, &json!({"text": text})).unwrap();
        assert_eq!(answer, Answer::True, "{body}");
    }
}
