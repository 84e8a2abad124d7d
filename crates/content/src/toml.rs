//! Strict parsing of TOML.

use ::toml::Deserializer;
use ::toml::de::Error;
use serde::de::{DeserializeOwned, Error as _};

use crate::json::Checked;

/// Parses a document as `T`, by the rules of [`crate::json::parse`]: structs are parsed only from tables, never
/// from arrays, which derived code would accept in the order of its fields, with `deny_unknown_fields` too; no
/// key differs from another, or from that of a field, only in case. The caller limits the size.
///
/// # Errors
/// The text is not UTF-8, not TOML, or not a `T`.
pub fn parse<T: DeserializeOwned>(text: impl AsRef<[u8]>) -> Result<T, Error> {
    let text = std::str::from_utf8(text.as_ref()).map_err(Error::custom)?;
    T::deserialize(Checked::new(Deserializer::parse(text)?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ::toml::{Table, Value};
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        rebuild: Option<Inner>,
        #[serde(default)]
        list: Vec<Inner>,
        #[serde(default)]
        named: BTreeMap<String, Inner>,
        #[serde(default)]
        any: BTreeMap<String, Value>,
        choice: Option<Choice>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        require: bool,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    enum Choice {
        Neither,
        Wrapped(Inner),
    }

    fn outer(text: &str) -> Result<Outer, Error> {
        parse(text)
    }

    #[test]
    fn an_array_is_not_a_table() {
        for text in [
            "rebuild = [true]",
            "rebuild = []",
            "list = [[true]]",
            "named = { a = [true] }",
            "named = [[\"a\", { require = true }]]",
            "choice = { Wrapped = [true] }",
        ] {
            let error = outer(text).unwrap_err();
            assert!(
                error.message().starts_with("invalid type: "),
                "{text}: {error}"
            );
            assert!(error.to_string().contains("line 1, column "), "{error}");
        }
    }

    #[test]
    fn reads_tables_and_values() {
        let read = outer(
            "rebuild.require = true\nchoice = 'Neither'\n[[list]]\nrequire = false\n[named.a]\nrequire = true\n\
             [any]\na = 1\nA = [{ b = 2026-11-28T10:00:00Z }, 0.5]\n",
        )
        .unwrap();
        assert_eq!(read.rebuild, Some(Inner { require: true }));
        assert_eq!(read.list, [Inner { require: false }]);
        assert_eq!(read.named["a"], Inner { require: true });
        assert_eq!(read.choice, Some(Choice::Neither));
        assert!(read.any["A"][0]["b"].is_datetime());
        let wrapped = outer("choice = { Wrapped = { require = true } }").unwrap();
        assert_eq!(
            wrapped.choice,
            Some(Choice::Wrapped(Inner { require: true }))
        );
    }

    #[test]
    fn a_fault_has_a_place() {
        for (text, message) in [
            ("\nrebuild = { require = 1 }", "invalid type: integer `1`"),
            ("\nother = 1", "unknown field `other`"),
            (
                "\nRebuild = { require = true }",
                "name \"Rebuild\" differs from",
            ),
            ("\nrebuild = {}", "missing field `require`"),
        ] {
            let error = outer(text).unwrap_err();
            assert!(error.message().starts_with(message), "{text}: {error}");
            assert!(error.to_string().contains("line 2, column "), "{error}");
        }
    }

    #[test]
    fn bytes_are_text() {
        let error = parse::<Table>(b"a = '\xff'").unwrap_err();
        assert!(error.message().contains("utf-8"), "{error}");
        let table: Table = parse(b"a = 1\nA = 2\n[b]\nc = [1, 'x']\n").unwrap();
        assert_eq!(table.len(), 3);
    }
}
