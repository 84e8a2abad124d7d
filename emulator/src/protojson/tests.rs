use std::collections::BTreeMap;

use content::json::null_is_default;
use serde::Deserialize;

use super::*;

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Message {
    #[serde(alias = "two_words", deserialize_with = "null_is_default")]
    two_words: String,
    #[serde(deserialize_with = "integer")]
    count: u32,
    items: Vec<Item>,
    #[serde(deserialize_with = "null_is_default")]
    item: Item,
    names: BTreeMap<String, String>,
    output: Ignored<String>,
    absent: NotEmulated<Object>,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Item {
    name: Ignored<String>,
}

fn read(body: &str) -> Result<Message, Status> {
    parse(body.as_bytes())
}

#[test]
fn null_is_absent_and_names_have_two_forms() {
    for text in [
        "",
        "{}",
        r#"{"twoWords":null,"count":null,"items":null,"item":null,"names":null,"output":null,
            "absent":null}"#,
        r#"{"absent":{},"output":"x","item":{"name":null}}"#,
    ] {
        assert_eq!(read(text), Ok(Message::default()), "{text}");
    }
    for text in [r#"{"twoWords":"x"}"#, r#"{"two_words":"x"}"#] {
        assert_eq!(read(text).unwrap().two_words, "x", "{text}");
    }
    assert_eq!(read(r#"{"count":"3"}"#).unwrap().count, 3);
}

#[test]
fn what_is_not_the_message_is_refused_with_the_words_of_google() {
    let root = "Unknown name \"\": Root element must be a message.";
    let list = "Proto field is not repeating, cannot start list.";
    for (text, words) in [
        ("[]", root),
        (r#"["x",1]"#, root),
        ("null", root),
        ("1", root),
        (r#"{"foo":1}"#, "Unknown name \"foo\": Cannot find field."),
        (
            r#"{"TwoWords":"x"}"#,
            "Unknown name \"TwoWords\": Cannot find field.",
        ),
        (
            r#"{"items":[{},{"foo":1}]}"#,
            "Unknown name \"foo\" at 'items[1]': Cannot find field.",
        ),
        (
            r#"{"item":{"Name":"x"}}"#,
            "Unknown name \"Name\" at 'item': Cannot find field.",
        ),
        (r#"{"item":[]}"#, &format!("Unknown name \"item\": {list}")),
        (
            r#"{"items":[["x"]]}"#,
            &format!("Unknown name \"\" at 'items[0]': {list}"),
        ),
        (
            r#"{"names":[]}"#,
            &format!("Unknown name \"names\": {list}"),
        ),
        (r#"{"twoWords":"x","two_words":"y"}"#, "duplicate field"),
        (r#"{"twoWords":"x","twoWords":"y"}"#, "appears twice"),
        ("{", "EOF"),
    ] {
        let refused = read(text).unwrap_err();
        assert_eq!((refused.code, refused.name), (400, "INVALID_ARGUMENT"));
        assert!(
            refused.message.contains(words),
            "{text}: {}",
            refused.message
        );
    }
    let refused = read(r#"{"items":[{"foo":1}]}"#).unwrap_err();
    let violation = &refused.details[0]["fieldViolations"][0];
    assert_eq!(violation["field"], "items[0]");
    assert_eq!(violation["description"], refused.message.as_str());
}

#[test]
fn a_value_of_another_type_is_refused_with_its_place() {
    for (text, place) in [
        (r#"{"count":-1}"#, "count"),
        (r#"{"count":"x"}"#, "count"),
        (r#"{"twoWords":1}"#, "twoWords"),
        (r#"{"names":{"a":1}}"#, "names.a"),
        (r#"{"items":{}}"#, "items"),
        (r#"{"items":[null]}"#, "items[0]"),
        (r#"{"output":[]}"#, "output"),
    ] {
        let refused = read(text).unwrap_err();
        assert_eq!(refused.code, 400);
        let found = refused.message.contains(&format!("'{place}'"))
            || refused.message.contains(&format!("\"{place}\""));
        assert!(found, "{text}: {}", refused.message);
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sealed {
        #[expect(dead_code, reason = "parsed only to be refused")]
        data: Bytes,
    }
    let refused = parse::<Sealed>(br#"{"data":"%"}"#).err().unwrap();
    let expected = "Invalid value at 'data' (TYPE_BYTES), Base64 decoding failed";
    assert_eq!(refused.message, expected);
}

#[test]
fn a_field_that_is_not_emulated_is_refused_as_such() {
    let refused = read(r#"{"absent":{"a":1}}"#).unwrap_err();
    assert_eq!(refused.code, 501);
    assert_eq!(refused.message, "The field absent is not emulated.");
    assert_eq!(read(r#"{"absent":[]}"#).unwrap_err().code, 400);
}
