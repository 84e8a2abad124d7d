//! Documents that predicates contain as text.

use content::{json, limits};
use serde_json::{Map, Value, json};

use crate::Error;

/// The predicate as its author meant it: if the predicate, or `Data` beside nothing but `Timestamp`, is a string that contains
/// JSON, that JSON in its place. cosign writes documents as such strings. `None` if there is no such string, or it is
/// other text.
///
/// # Errors
/// The string is JSON that two readers could read differently, or begins as a JSON object and is none.
pub fn unwrapped(predicate: &Value) -> Result<Option<Value>, Error> {
    match predicate {
        Value::String(text) => document(text),
        Value::Object(members) if is_wrapper(members) => {
            let text = members.get("Data").and_then(Value::as_str);
            let data = text.map(document).transpose()?.flatten();
            Ok(data.map(|data| {
                let mut members = members.clone();
                members.insert("Data".to_owned(), data);
                Value::Object(members)
            }))
        }
        _ => Ok(None),
    }
}

/// The same predicate with an empty text where [`unwrapped`] found JSON.
pub fn without_text(predicate: &Value) -> Value {
    let mut predicate = predicate.clone();
    match predicate.get_mut("Data") {
        Some(data) => *data = json!(""),
        None => predicate = json!(""),
    }
    predicate
}

fn is_wrapper(members: &Map<String, Value>) -> bool {
    members
        .keys()
        .all(|name| name == "Data" || name == "Timestamp")
}

fn document(text: &str) -> Result<Option<Value>, Error> {
    match json::parse(text.as_bytes(), limits::STATEMENT) {
        Ok(value) => Ok(Some(value)),
        Err(source) if text.trim_start().starts_with('{') || is_json(text) => {
            Err(Error::Document {
                what: "text of the predicate",
                source,
            })
        }
        Err(_) => Ok(None),
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = "2026-11-28T00:00:00Z";

    #[test]
    fn data_that_is_json_is_read_as_json() {
        let read = |predicate: Value| unwrapped(&predicate).unwrap();
        let wrapped = |data: &str| json!({"Data": data, "Timestamp": TIME});
        let expected = json!({"Data": {"foo": "bar"}, "Timestamp": TIME});
        assert_eq!(read(wrapped("{\"foo\": \"bar\"}\n")), Some(expected));
        assert_eq!(
            read(json!("{\"spdxVersion\": \"SPDX-2.3\"}")),
            Some(json!({"spdxVersion": "SPDX-2.3"}))
        );
        for predicate in [
            wrapped("foo"),
            wrapped(""),
            wrapped("[x] done"),
            json!({"Data": {"foo": "bar"}}),
            json!({"Data": "{}", "other": 1}),
            json!({"foo": "{}"}),
            json!("text"),
            json!(null),
        ] {
            assert_eq!(read(predicate.clone()), None, "{predicate}");
        }
        for text in [
            "{\"a\": 1, \"a\": 2}",
            "[{\"a\": 1, \"a\": 2}]",
            " {",
            "{} {}",
        ] {
            assert!(unwrapped(&wrapped(text)).is_err(), "{text}");
            assert!(unwrapped(&json!(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn the_text_can_be_left_out() {
        let without = without_text(&json!({"Data": "{}", "Timestamp": TIME}));
        assert_eq!(without, json!({"Data": "", "Timestamp": TIME}));
        assert_eq!(without_text(&json!("{}")), "");
    }
}
