//! Fields of messages.

use std::marker::PhantomData;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use content::json;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The reason for which a [`NotEmulated`] field is refused.
pub(super) const NOT_EMULATED: &str = "not emulated";

/// A field without effect, such as one that only answers have. It is parsed and dropped.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Ignored<T>(PhantomData<T>);

impl<'de, T: Default + Deserialize<'de>> Deserialize<'de> for Ignored<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::null_is_default::<D, T>(deserializer)?;
        Ok(Self(PhantomData))
    }
}

/// A field that the emulator does not have. It is refused unless it has its default value, which is the
/// same as being absent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct NotEmulated<T>(PhantomData<T>);

impl<'de, T: Default + Deserialize<'de> + PartialEq> Deserialize<'de> for NotEmulated<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match json::null_is_default::<D, T>(deserializer)? == T::default() {
            true => Ok(Self(PhantomData)),
            false => Err(D::Error::custom(NOT_EMULATED)),
        }
    }
}

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

/// A field of bytes.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Bytes(pub Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text: String = json::null_is_default(deserializer)?;
        let decoded = bytes(&text);
        decoded
            .map(Self)
            .ok_or_else(|| D::Error::custom("(TYPE_BYTES), Base64 decoding failed"))
    }
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
            other => other.as_i64().or_else(|| whole(other.as_f64()?)),
        };
        number
            .map(Self)
            .ok_or_else(|| format!("invalid value for an integer: {value}"))
    }
}

/// The integer that a number with a fraction of zero is.
fn whole(number: f64) -> Option<i64> {
    let number = (number.fract() == 0.0).then_some(number)?;
    format!("{number:.0}").parse().ok()
}

/// Parses an integer with the range of `T`.
///
/// # Errors
/// The value is not an integer, or out of the range.
pub fn integer<'de, D: Deserializer<'de>, T: TryFrom<i64>>(deserializer: D) -> Result<T, D::Error> {
    let Integer(number) = Integer::deserialize(deserializer)?;
    T::try_from(number).map_err(|_| D::Error::custom(format_args!("out of range: {number}")))
}

/// An enumeration value, by name or by number.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Value")]
pub struct Enumeration(Value);

impl TryFrom<Value> for Enumeration {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        match value.is_null() || value.is_string() || value.is_i64() {
            true => Ok(Self(value)),
            false => Err(format!("invalid value for an enumeration: {value}")),
        }
    }
}

impl Enumeration {
    /// The name of the value. Empty if it is absent or unspecified, `UNRECOGNIZED` for a number that is not
    /// among `names`.
    pub fn name<'a>(&'a self, names: &[(i64, &'static str)]) -> &'a str {
        let named = |number| names.iter().find(|(known, _)| *known == number);
        match (&self.0, self.0.as_i64()) {
            (_, Some(0)) => "",
            (_, Some(number)) => named(number).map_or("UNRECOGNIZED", |(_, name)| *name),
            (Value::String(name), _) if !name.ends_with("_UNSPECIFIED") => name,
            _ => "",
        }
    }
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
        assert_eq!(read(json!(20.0)), Some(20));
        for bad in [
            json!(u64::MAX),
            json!(20.5),
            json!(1e30),
            json!([10]),
            json!("x"),
        ] {
            assert_eq!(read(bad.clone()), None, "{bad}");
        }
    }

    #[test]
    fn integers_have_a_range() {
        let read = |value: Value| integer::<_, i32>(value).ok();
        assert_eq!(read(json!(i32::MAX)), Some(i32::MAX));
        assert_eq!(read(json!(1_i64 << 40)), None);
        assert_eq!(integer::<_, u32>(json!(-1)).ok(), None);
    }

    #[test]
    fn enumerations_come_by_name_and_by_number() {
        let name = |value: Value| {
            let value = serde_json::from_value::<Enumeration>(value).ok();
            value.map(|value| value.name(&[(5, "FIVE")]).to_owned())
        };
        for (value, expected) in [
            (json!("FIVE"), "FIVE"),
            (json!(5), "FIVE"),
            (json!("OTHER"), "OTHER"),
            (json!(6), "UNRECOGNIZED"),
            (json!(0), ""),
            (json!("KIND_UNSPECIFIED"), ""),
            (Value::Null, ""),
        ] {
            assert_eq!(name(value.clone()).as_deref(), Some(expected), "{value}");
        }
        for bad in [json!([]), json!({}), json!(true), json!(5.5)] {
            assert_eq!(name(bad.clone()), None, "{bad}");
        }
    }
}
