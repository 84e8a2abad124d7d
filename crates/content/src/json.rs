//! Strict parsing of JSON, so that two readers of a document cannot disagree on it, and canonical writing,
//! so that equal values have equal bytes.

mod checked;
mod error;
mod fields;
mod fold;
mod names;
mod protobuf;
mod scan;

use serde::Serialize;
use serde::de::{DeserializeOwned, DeserializeSeed as _};
use serde_json::{Number, Value};

pub(crate) use checked::Checked;
pub use error::JsonError;
pub use fields::{at_most, not_null, null_is_default};
pub use fold::fold;
pub use names::distinct_names;
pub use protobuf::parse_protobuf;
use scan::Scan;

/// Parses one document of at most `limit` bytes as `T`. A document that Go's `encoding/json` could read
/// differently is refused: structs are parsed only from objects, never from arrays; the names of a struct's
/// members must differ in more than case (Unicode simple case folding), and an unknown name must not fold
/// to a known one. Maps distinguish case, as in Go. `null` is an absent `Option`, or an empty list or map;
/// [`not_null`] and [`null_is_default`] set its meaning for other fields.
///
/// # Errors
/// The document is larger than `limit`, has a key twice in one object or a key that serde_json reserves,
/// names that differ only in case, more than [`limits::JSON_DEPTH`] levels or [`limits::JSON_MEMBERS`]
/// members in one object, bytes after its end, or is not a `T`.
///
/// [`limits::JSON_DEPTH`]: crate::limits::JSON_DEPTH
/// [`limits::JSON_MEMBERS`]: crate::limits::JSON_MEMBERS
pub fn parse<T: DeserializeOwned>(bytes: &[u8], limit: u64) -> Result<T, JsonError> {
    let size = bytes.len() as u64;
    if size > limit {
        return Err(JsonError::Limit { size, limit });
    }
    let mut scan = serde_json::Deserializer::from_slice(bytes);
    Scan::default()
        .deserialize(&mut scan)
        .map_err(JsonError::Parse)?;
    scan.end().map_err(JsonError::Parse)?;
    let mut document = serde_json::Deserializer::from_slice(bytes);
    T::deserialize(Checked::new(&mut document)).map_err(JsonError::Parse)
}

/// Writes `value` in the canonical form of RFC 8785, for values without fractions: no white space, no
/// trailing newline, and keys sorted by their UTF-16 code units (section 3.2.3).
///
/// # Errors
/// The value cannot be converted to JSON, or contains a number that is not an integer.
pub fn canonical<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, JsonError> {
    let value = serde_json::to_value(value).map_err(JsonError::Write)?;
    let mut out = Vec::new();
    write(&value, refuse, &mut out)?;
    Ok(out)
}

/// Writes `value` like [`canonical`], and fractions in the fewest digits that are read as the same number. Other
/// programs may write a fraction in other digits.
///
/// # Errors
/// The value cannot be converted to JSON.
pub fn sorted<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, JsonError> {
    let value = serde_json::to_value(value).map_err(JsonError::Write)?;
    let mut out = Vec::new();
    write(&value, shortest, &mut out)?;
    Ok(out)
}

/// Writes a number that is not an integer.
type Fraction = fn(&Number, &mut Vec<u8>) -> Result<(), JsonError>;

fn refuse(number: &Number, _: &mut Vec<u8>) -> Result<(), JsonError> {
    Err(JsonError::Float(number.as_f64().unwrap_or(f64::NAN)))
}

fn shortest(number: &Number, out: &mut Vec<u8>) -> Result<(), JsonError> {
    serde_json::to_writer(out, number).map_err(JsonError::Write)
}

fn write(value: &Value, fraction: Fraction, out: &mut Vec<u8>) -> Result<(), JsonError> {
    match value {
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, fraction, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            // The map keeps insertion order if any crate enables that feature of serde_json.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push(b'{');
            for (index, (key, item)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                serde_json::to_writer(&mut *out, key).map_err(JsonError::Write)?;
                out.push(b':');
                write(item, fraction, out)?;
            }
            out.push(b'}');
        }
        Value::Number(number) if !number.is_i64() && !number.is_u64() => fraction(number, out)?,
        scalar => serde_json::to_writer(out, scalar).map_err(JsonError::Write)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde::de::IgnoredAny;

    use super::*;
    use crate::limits;

    #[track_caller]
    fn check_refusal<T>(parsed: Result<T, JsonError>, reason: &str) {
        let error = parsed.err().unwrap().to_string();
        assert!(error.contains(reason), "{error}");
    }

    fn parsed(text: &str) -> Result<Value, JsonError> {
        parse(text.as_bytes(), 1000)
    }

    #[test]
    fn no_document_hides_in_another() {
        for kind in ["RawValue", "Number"] {
            let text = format!(r#"{{"a":[{{"$serde_json::private::{kind}":"1"}}]}}"#);
            let reserved = format!("key \"$serde_json::private::{kind}\" is reserved");
            check_refusal(parsed(&text), &reserved);
        }
    }

    #[test]
    fn reads_an_ordinary_document() {
        let value = parsed(r#" {"a":[1,-2,0.5,true,null,"x"],"b":{"a":1}} "#).unwrap();
        assert_eq!(value["a"][5], "x");
    }

    #[test]
    fn refuses_ambiguous_documents() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"[{"x":{"a":1,"b":2,"a":3}}]"#,
            r#"{} {}"#,
            r#"{}x"#,
            "",
            "nul",
            "\u{feff}{}",
        ] {
            assert!(matches!(parsed(text), Err(JsonError::Parse(_))), "{text}");
        }
    }

    #[test]
    fn refuses_depth_and_size() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parsed(&nested(limits::JSON_DEPTH)).is_ok());
        let deeper = parsed(&nested(limits::JSON_DEPTH + 1));
        check_refusal(
            deeper,
            &format!("nested deeper than {}", limits::JSON_DEPTH),
        );
        let error = parse::<Value>(b"[1,2]", 4).unwrap_err();
        assert!(matches!(error, JsonError::Limit { size: 5, limit: 4 }));
    }

    #[test]
    fn refuses_too_many_members_and_elements() {
        let members = |count| {
            let members: Vec<_> = (0..count).map(|n| format!("\"{n}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        let parsed = |text: String| parse::<Value>(text.as_bytes(), 1 << 20);
        assert!(parsed(members(limits::JSON_MEMBERS)).is_ok());
        let more = parsed(members(limits::JSON_MEMBERS + 1));
        check_refusal(more, &format!("more than {} members", limits::JSON_MEMBERS));

        #[derive(Deserialize)]
        struct Few(#[serde(deserialize_with = "at_most::<2, _, _>")] Vec<u8>);
        assert_eq!(parse::<Few>(b"[1,2]", 10).unwrap().0, [1, 2]);
        let many = parse::<Few>(b"[1,2,3]", 10);
        check_refusal(many, "a sequence of at most 2 elements");
    }

    #[test]
    fn writes_sorted_and_tight() {
        let value = serde_json::json!({"b": [1, {"z": null, "a": "\u{e9}\n<"}], "a": true});
        let bytes = canonical(&value).unwrap();
        let expected = "{\"a\":true,\"b\":[1,{\"a\":\"\u{e9}\\n<\",\"z\":null}]}";
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }

    /// The keys of RFC 8785, section 3.2.3, and two that UTF-8 sorts the other way round.
    #[test]
    fn sorts_by_utf_16() {
        let value = serde_json::json!({
            "\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7,
            "\u{fffd}": 8,
        });
        let expected = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\
            \"\u{1f600}\":5,\"\u{fb33}\":3,\"\u{fffd}\":8}";
        let bytes = canonical(&value).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    struct Outer {
        #[serde(default)]
        list: Vec<Inner>,
        #[serde(default)]
        annotations: BTreeMap<String, String>,
        one: Option<Inner>,
        #[serde(rename = "os.version")]
        version: Option<String>,
        #[serde(default)]
        choice: Choice,
        #[serde(default, deserialize_with = "null_is_default")]
        text: String,
        #[serde(default, deserialize_with = "not_null")]
        strict: Option<String>,
        any: Option<Value>,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    struct Inner {
        #[serde(default)]
        kind: u8,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    enum Choice {
        #[default]
        Neither,
        Wrapped(Inner),
        Plain {
            kind: u8,
        },
    }

    fn outer(text: &str) -> Result<Outer, JsonError> {
        parse(text.as_bytes(), 1000)
    }

    #[test]
    fn null_is_absent() {
        let nothing = r#"{"list":null,"annotations":null,"one":null,"os.version":null,"text":null,
            "any":null,"other":null}"#;
        assert_eq!(outer(nothing).unwrap(), Outer::default());
        check_refusal(outer(r#"{"strict":null}"#), "unexpected null");
        assert!(outer(r#"{"strict":""}"#).is_ok());
        check_refusal(outer(r#"{"list":[null]}"#), "invalid type: null");
        assert!(parse::<BTreeMap<String, Inner>>(b"null", 10).is_ok());
    }

    #[test]
    fn an_array_is_not_an_object() {
        for text in [
            "[]",
            r#"[[],{},null,null,"Neither","","",null]"#,
            r#"{"list":[[1]]}"#,
            r#"{"one":[1]}"#,
            r#"{"choice":{"Wrapped":[1]}}"#,
            r#"{"choice":{"Plain":[1]}}"#,
            r#"{"annotations":[]}"#,
        ] {
            check_refusal(outer(text), "invalid type: sequence, expected ");
        }
        let object = outer(r#"{"list":{}}"#);
        check_refusal(object, "invalid type: map, expected a sequence");
        assert!(outer(r#"{"choice":{"Wrapped":{"kind":1}},"list":[{"kind":1}]}"#).is_ok());
    }

    #[test]
    fn names_differ_in_more_than_case() {
        for text in [
            r#"{"list":[],"List":[]}"#,
            r#"{"List":[]}"#,
            r#"{"li\u017ft":[]}"#,
            r#"{"OS.Version":"1"}"#,
            r#"{"one":{"Kind":1}}"#,
            r#"{"one":{"\u212aind":1}}"#,
            r#"{"list":[{},{"kind":1,"KIND":2}]}"#,
            r#"{"choice":{"Plain":{"kind":1,"Kind":2}}}"#,
            r#"{"choice":{"Wrapped":{"Kind":2}}}"#,
        ] {
            check_refusal(outer(text), "only in case");
        }
        for text in [
            r#"{"other":1,"Other":2}"#,
            r#"{"other":[{"x":{"a":1,"A":2}}]}"#,
            r#"{"other":{"annotations":{},"Annotations":{}}}"#,
            r#"{"other":{"annotations":{"x":{"a":1,"A":2}}}}"#,
        ] {
            check_refusal(outer(text), "in upper and lower case");
        }
        for text in [
            r#"{"annotations":{"a":"1","A":"2","list":"3"}}"#,
            r#"{"any":{"a":"1","A":"2"}}"#,
            r#"{"other":{"Labels":{"a":"1","A":"2"}}}"#,
            r#"{"lists":[],"osversion":"1"}"#,
        ] {
            assert!(outer(text).is_ok(), "{text}");
        }
        let reason = "name \"A\" appears twice in one object, in upper and lower case";
        check_refusal(parse::<IgnoredAny>(br#"{"a":1,"A":1}"#, 100), reason);
        check_refusal(
            distinct_names(&serde_json::json!([{"a": 1, "A": 1}])),
            "in upper and lower case",
        );
        assert!(distinct_names(&serde_json::json!([{"a": 1}, {"A": 1}])).is_ok());
    }

    #[test]
    fn writes_no_fractions() {
        assert!(matches!(canonical(&0.5), Err(JsonError::Float(_))));
    }
}
