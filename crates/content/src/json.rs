//! JSON from outside is read strictly, so that no two readers can see two documents in one; JSON of
//! our own is written canonically, so that the same value is always the same bytes.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::limits;

/// JSON that cannot be read strictly or written canonically.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The document is larger than it may be.
    #[error("parsing json: {size} bytes are over the limit of {limit}")]
    Limit {
        /// Bytes found.
        size: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// Not JSON, a key named twice, too deep, bytes after the end, or not the expected type.
    #[error("parsing json: {0}")]
    Parse(#[source] serde_json::Error),
    /// A value that serde cannot turn into JSON.
    #[error("writing json: {0}")]
    Write(#[source] serde_json::Error),
    /// A number that is no integer, whose text is not the same everywhere.
    #[error("writing json: {0} is not an integer")]
    Float(f64),
}

/// Parses one document of `limit` bytes at the most into `T`.
///
/// # Errors
/// More bytes than `limit`, a key twice in one object at any depth or one that serde_json keeps for
/// itself, more than
/// [`limits::JSON_DEPTH`] levels or [`limits::JSON_MEMBERS`] members of one object, anything after
/// the document, or a document that is no `T`.
pub fn parse<T: DeserializeOwned>(bytes: &[u8], limit: u64) -> Result<T, JsonError> {
    let size = bytes.len() as u64;
    if size > limit {
        return Err(JsonError::Limit { size, limit });
    }
    let mut scan = serde_json::Deserializer::from_slice(bytes);
    Strict { depth: 0 }
        .deserialize(&mut scan)
        .map_err(JsonError::Parse)?;
    scan.end().map_err(JsonError::Parse)?;
    serde_json::from_slice(bytes).map_err(JsonError::Parse)
}

/// Writes `value` as RFC 8785 has it, for values without fractions: no white space, no newline at
/// the end, and keys sorted by their UTF-16 code units (section 3.2.3).
///
/// # Errors
/// A value that is no JSON, or a number that is no integer.
pub fn canonical<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, JsonError> {
    let value = serde_json::to_value(value).map_err(JsonError::Write)?;
    let mut out = Vec::new();
    write(&value, &mut out)?;
    Ok(out)
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), JsonError> {
    match value {
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            // Sorted here: the map keeps insertion order as soon as any crate asks for it.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push(b'{');
            for (index, (key, item)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                serde_json::to_writer(&mut *out, key).map_err(JsonError::Write)?;
                out.push(b':');
                write(item, out)?;
            }
            out.push(b'}');
        }
        Value::Number(number) if !number.is_i64() && !number.is_u64() => {
            return Err(JsonError::Float(number.as_f64().unwrap_or(f64::NAN)));
        }
        scalar => serde_json::to_writer(out, scalar).map_err(JsonError::Write)?,
    }
    Ok(())
}

/// For `deserialize_with`: a sequence of `MOST` elements at the most, given up at the one after. A
/// plain `Vec` can take ten times the memory of its text before anyone counts it.
///
/// # Errors
/// More elements, or one that is no `T`.
pub fn at_most<'de, const MOST: usize, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_seq(AtMost::<MOST, T>(PhantomData))
}

struct AtMost<const MOST: usize, T>(PhantomData<T>);

impl<'de, const MOST: usize, T: Deserialize<'de>> Visitor<'de> for AtMost<MOST, T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a sequence of {MOST} elements at the most")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut kept = Vec::new();
        while let Some(item) = items.next_element()? {
            if kept.len() == MOST {
                return Err(de::Error::invalid_length(MOST + 1, &self));
            }
            kept.push(item);
        }
        Ok(kept)
    }
}

/// Keys by which serde_json passes itself raw text and exact numbers, as soon as any crate asks it to:
/// what stands behind one would be read as another document, unseen by this reader.
const RESERVED: &str = "$serde_json::private::";

/// Walks a document and keeps nothing of it.
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: de::Error>(&self) -> Result<Self, E> {
        if self.depth == limits::JSON_DEPTH {
            return Err(E::custom(format_args!(
                "nested deeper than {}",
                limits::JSON_DEPTH
            )));
        }
        Ok(Self {
            depth: self.depth + 1,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self.deeper()?)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = members.next_key::<String>()? {
            if key.starts_with(RESERVED) {
                return Err(de::Error::custom(format_args!("key {key:?} is reserved")));
            }
            if seen.contains(&key) {
                return Err(de::Error::custom(format_args!(
                    "key {key:?} twice in one object"
                )));
            }
            if seen.len() == limits::JSON_MEMBERS {
                return Err(de::Error::custom(format_args!(
                    "more than {} members in one object",
                    limits::JSON_MEMBERS
                )));
            }
            seen.insert(key);
            members.next_value_seed(self.deeper()?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Value, JsonError> {
        parse(text.as_bytes(), 1000)
    }

    #[test]
    fn no_document_hides_in_another() {
        for kind in ["RawValue", "Number"] {
            let text = format!(r#"{{"a":[{{"$serde_json::private::{kind}":"1"}}]}}"#);
            assert!(parsed(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_an_ordinary_document() {
        let value = parsed(r#" {"a":[1,-2,0.5,true,null,"x"],"b":{"a":1}} "#).unwrap();
        assert_eq!(value["a"][5], "x");
    }

    #[test]
    fn refuses_what_readers_disagree_about() {
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
        assert!(parsed(&nested(limits::JSON_DEPTH + 1)).is_err());
        let error = parse::<Value>(b"[1,2]", 4).unwrap_err();
        assert!(matches!(error, JsonError::Limit { size: 5, limit: 4 }));
    }

    #[test]
    fn refuses_more_members_and_elements_than_anyone_needs() {
        let members = |count| {
            let members: Vec<_> = (0..count).map(|n| format!("\"{n}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        let parsed = |text: String| parse::<Value>(text.as_bytes(), 1 << 20);
        assert!(parsed(members(limits::JSON_MEMBERS)).is_ok());
        assert!(parsed(members(limits::JSON_MEMBERS + 1)).is_err());

        #[derive(Deserialize)]
        struct Few(#[serde(deserialize_with = "at_most::<2, _, _>")] Vec<u8>);
        assert_eq!(parse::<Few>(b"[1,2]", 10).unwrap().0, [1, 2]);
        assert!(parse::<Few>(b"[1,2,3]", 10).is_err());
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

    #[test]
    fn writes_no_fractions() {
        assert!(matches!(canonical(&0.5), Err(JsonError::Float(_))));
    }
}
