//! The JSON form of Protocol Buffers (ProtoJSON).

use serde::de::{DeserializeOwned, Error as _};
use serde_json::Value;

use super::checked::Checked;
use super::{JsonError, distinct_names, parse};
use crate::limits;

/// Parses one document in the JSON form of Protocol Buffers as `T`, as [`parse`], with one difference: a member that is
/// `null` is absent, whatever its type.
///
/// # Errors
/// Those of [`parse`], or there are more than [`limits::JSON_VALUES`] values.
pub fn parse_protobuf<T: DeserializeOwned>(bytes: &[u8], limit: u64) -> Result<T, JsonError> {
    if bytes.len() as u64 <= limit && has_too_many_values(bytes) {
        let error = format!("more than {} values", limits::JSON_VALUES);
        return Err(JsonError::Parse(serde_json::Error::custom(error)));
    }
    let mut document = parse::<Value>(bytes, limit)?;
    // A null member would no longer be there to be compared.
    distinct_names(&document)?;
    remove_null_members(&mut document);
    T::deserialize(Checked::new(document)).map_err(JsonError::Parse)
}

/// Whether a document may have more values than are kept in memory, where one takes hundreds of bytes. Each value but the
/// first has one of these characters before it; those in texts count too.
fn has_too_many_values(bytes: &[u8]) -> bool {
    let before = |byte: &&u8| matches!(byte, b'[' | b',' | b':');
    bytes.iter().filter(before).count() >= limits::JSON_VALUES
}

fn remove_null_members(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(remove_null_members);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_null_members),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Outer {
        list: Vec<Inner>,
        #[serde(default)]
        text: String,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Inner {
        #[serde(default)]
        number: u64,
    }

    fn parsed(text: &str) -> Result<Outer, JsonError> {
        parse_protobuf(text.as_bytes(), 100)
    }

    #[test]
    fn a_null_member_is_absent() {
        let list = vec![Inner { number: 0 }];
        let text = String::new();
        let expected = Outer { list, text };
        for document in [
            r#"{"list":[{}]}"#,
            r#"{"list":[{"number":null}],"text":null,"other":null}"#,
        ] {
            assert_eq!(parsed(document).unwrap(), expected, "{document}");
        }
        assert_eq!(
            parsed(r#"{"list":[{"number":7}]}"#).unwrap().list[0].number,
            7
        );
    }

    #[test]
    fn values_are_limited_in_number() {
        let parsed = |values: usize| {
            let others = vec!["0"; values].join(",");
            let text = format!(r#"{{"list":[],"other":[{others}]}}"#);
            parse_protobuf::<Outer>(text.as_bytes(), 1 << 20)
        };
        assert!(parsed(limits::JSON_VALUES - 10).is_ok());
        let error = parsed(limits::JSON_VALUES).unwrap_err().to_string();
        assert!(error.contains("more than 100000 values"), "{error}");
    }

    #[test]
    fn the_rest_is_as_strict() {
        for (document, reason) in [
            (r#"{"list":null}"#, "missing field `list`"),
            (r#"{"list":[null]}"#, "invalid type: null"),
            (r#"{"list":[],"text":"","text":null}"#, "\"text\""),
            (
                r#"{"list":[],"text":"","Text":null}"#,
                "in upper and lower case",
            ),
            (r#"{"list":[],"Text":""}"#, "only in case"),
            (r#"{"list":[[7]]}"#, "invalid type: sequence"),
            (r#"{"list":[]} {}"#, "trailing characters"),
        ] {
            let error = parsed(document).unwrap_err().to_string();
            assert!(error.contains(reason), "{document}: {error}");
        }
        let error = parse_protobuf::<Outer>(br#"{"list":[]}"#, 10).unwrap_err();
        assert!(matches!(
            error,
            JsonError::Limit {
                size: 11,
                limit: 10
            }
        ));
    }
}
