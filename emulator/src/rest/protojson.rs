//! Scalars in the JSON mapping of Protocol Buffers ("ProtoJSON").

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde_json::Value;

/// Decodes bytes: base64 in either alphabet (RFC 4648), with or without padding. `None` if `text` is invalid.
pub fn bytes(text: &str) -> Option<Vec<u8>> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = match text.contains(['-', '_']) {
        true => &alphabet::URL_SAFE,
        false => &alphabet::STANDARD,
    };
    GeneralPurpose::new(alphabet, config).decode(text).ok()
}

/// An integer, as a JSON number or as a string.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Value")]
pub struct Integer(pub i64);

impl TryFrom<Value> for Integer {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        let number = match &value {
            Value::Null => Some(0),
            Value::String(text) => text.parse().ok(),
            other => other.as_i64(),
        };
        number
            .map(Self)
            .ok_or_else(|| format!("Invalid value for an integer: {value}"))
    }
}

/// Whether a field has its default value, which is the same as being absent.
pub fn is_default(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(truth) => !truth,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

/// The name of an enumeration value, which clients may send by number. Empty if it is absent or unknown.
pub fn name_of<'a>(value: &'a Value, names: &[(u64, &'static str)]) -> &'a str {
    let number = value.as_u64();
    let named = names.iter().find(|(known, _)| Some(*known) == number);
    named.map_or(value.as_str().unwrap_or_default(), |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bytes_come_in_either_alphabet() {
        for text in ["+/8=", "+/8", "-_8=", "-_8"] {
            assert_eq!(bytes(text), Some(vec![0xfb, 0xff]), "{text}");
        }
        for bad in ["!", "+_8=", "+"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }

    #[test]
    fn integers_come_as_text_too() {
        let read = |value| serde_json::from_value::<Integer>(value).ok().map(|i| i.0);
        assert_eq!(read(json!("10")), Some(10));
        assert_eq!(read(json!(-1)), Some(-1));
        assert_eq!(read(json!(u64::MAX)), None);
        assert_eq!(read(json!([10])), None);
    }
}
