//! The JSON form of Protocol Buffers (ProtoJSON).

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::checked::Checked;
use super::{JsonError, distinct_names, parse};

/// Parses one document in the JSON form of Protocol Buffers as `T`, as [`parse`], with one difference: a member that is
/// `null` is absent, whatever its type.
///
/// # Errors
/// Those of [`parse`].
pub fn parse_protobuf<T: DeserializeOwned>(bytes: &[u8], limit: u64) -> Result<T, JsonError> {
    let mut document = parse::<Value>(bytes, limit)?;
    // A null member would no longer be there to be compared.
    distinct_names(&document)?;
    remove_null_members(&mut document);
    T::deserialize(Checked::new(document)).map_err(JsonError::Parse)
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
