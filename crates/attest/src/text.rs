//! Documents that predicates contain as text.

use content::{json, limits};
use serde_json::{Map, Value, json};

use crate::Error;
use crate::kind::CUSTOM;

const WHAT: &str = "text of the predicate";
/// The members of a predicate of cosign's type `custom`.
const DATA: &str = "Data";
const TIMESTAMP: &str = "Timestamp";

/// The predicate of a statement of type `kind` as its author meant it: if the predicate is a string that contains JSON, that
/// JSON in its place, and the same for `Data` in cosign's type `custom`, and in others beside nothing but `Timestamp`. cosign
/// writes documents as such strings. `None` if there is no such string, or it is other text.
///
/// # Errors
/// The string is JSON that two readers could read differently, or begins as a JSON object and is not valid JSON, or is JSON
/// that is again such a string. Or a predicate of cosign's type `custom` has a name that differs from one of its members only in case:
/// cosign reads it as that member.
pub fn unwrapped(kind: &str, predicate: &Value) -> Result<Option<Value>, Error> {
    match predicate {
        Value::String(text) => document(text),
        Value::Object(members) if is_wrapper(kind, members)? => {
            let text = members.get(DATA).and_then(Value::as_str);
            let data = text.map(document).transpose()?.flatten();
            Ok(data.map(|data| {
                let mut members = members.clone();
                members.insert(DATA.to_owned(), data);
                Value::Object(members)
            }))
        }
        _ => Ok(None),
    }
}

/// The same predicate with other texts where [`unwrapped`] found JSON: an empty one, and one of the same length.
pub fn with_other_texts(predicate: &Value) -> [Value; 2] {
    let text = predicate.get(DATA).unwrap_or(predicate);
    let same_length = "x".repeat(text.as_str().map_or(0, str::len));
    ["", same_length.as_str()].map(|other| {
        let mut predicate = predicate.clone();
        match predicate.get_mut(DATA) {
            Some(data) => *data = json!(other),
            None => predicate = json!(other),
        }
        predicate
    })
}

fn is_wrapper(kind: &str, members: &Map<String, Value>) -> Result<bool, Error> {
    let known = [DATA, TIMESTAMP];
    if kind != CUSTOM {
        return Ok(members.keys().all(|name| known.contains(&name.as_str())));
    }
    for name in members.keys() {
        let same = |known: &&str| *known != name && json::fold(known) == json::fold(name);
        if let Some(expected) = known.into_iter().find(same) {
            return Err(Error::Value {
                what: "name of a member of the predicate",
                expected: expected.to_owned(),
                found: content::printable(name, 80),
            });
        }
    }
    Ok(true)
}

fn document(text: &str) -> Result<Option<Value>, Error> {
    match json::parse(text.as_bytes(), limits::STATEMENT) {
        // It has no members, and what it contains has.
        Ok(Value::String(inner)) if is_document(&inner) => Err(Error::Value {
            what: WHAT,
            expected: "JSON".to_owned(),
            found: "a string of JSON that contains JSON".to_owned(),
        }),
        Ok(value) => Ok(Some(value)),
        Err(source) if is_document(text) => Err(Error::Document { what: WHAT, source }),
        Err(_) => Ok(None),
    }
}

/// Whether a lenient reader may read text as JSON. Some begin after a byte order mark, which is no white space.
fn is_document(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    text.starts_with('{') || is_json(text)
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
        let read = |predicate: Value| unwrapped("urn:x", &predicate).unwrap();
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
            // With a byte order mark, and JSON in a string of JSON.
            "\u{feff}{\"a\": 1}",
            "\u{feff}[1]",
            "\"{\\\"a\\\": 1}\"",
            "\"[1]\"",
        ] {
            assert!(unwrapped("urn:x", &wrapped(text)).is_err(), "{text}");
            assert!(unwrapped(CUSTOM, &json!(text)).is_err(), "{text}");
        }
        assert_eq!(read(wrapped("\"x\"")).unwrap()["Data"], "x");
    }

    #[test]
    fn a_custom_predicate_has_one_text() {
        let beside = |name: &str| {
            let mut predicate = json!({"Data": "{\"a\": 1}", "Timestamp": TIME});
            predicate[name] = json!("{\"a\": 2}");
            predicate
        };
        // cosign drops other members before it asks a module.
        let read = unwrapped(CUSTOM, &beside("Other")).unwrap().unwrap();
        assert_eq!(read["Data"], json!({"a": 1}));
        for name in ["data", "DATA", "timestamp", "time\u{17f}tamp"] {
            assert!(unwrapped(CUSTOM, &beside(name)).is_err(), "{name}");
            assert_eq!(unwrapped("urn:x", &beside(name)).unwrap(), None, "{name}");
        }
        assert!(unwrapped(CUSTOM, &json!({"data": "{}"})).is_err());
    }

    #[test]
    fn the_text_can_be_another_one() {
        let [empty, other] = with_other_texts(&json!({"Data": "{}", "Timestamp": TIME}));
        assert_eq!(empty, json!({"Data": "", "Timestamp": TIME}));
        assert_eq!(other, json!({"Data": "xx", "Timestamp": TIME}));
        assert_eq!(with_other_texts(&json!("{}")), [json!(""), json!("xx")]);
    }
}
