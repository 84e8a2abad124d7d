//! `[build.env]`: variables for compilers and build scripts.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Variables that a build gets besides those that the builder sets, by name.
pub type Environment = BTreeMap<Name, Variable>;

/// The name of a variable: ASCII letters, digits and `_`, not beginning with a digit (POSIX, "Environment Variables").
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(try_from = "String")]
pub struct Name(String);

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let begins = text
            .bytes()
            .next()
            .is_some_and(|byte| !byte.is_ascii_digit());
        match begins && text.bytes().all(plain) {
            true => Ok(Self(text)),
            false => Err(format!("variable {text:?}: expected letters, digits and _")),
        }
    }
}

/// The value of a variable.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Variable {
    /// This text.
    Text(String),
    /// The commit that is built, in hex.
    Commit,
    /// When it was committed, in seconds since 1970.
    Time,
}

impl Variable {
    /// The value for a commit with this name, which was made at `time`.
    pub fn text(&self, commit: &str, time: u64) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Commit => commit.to_owned(),
            Self::Time => time.to_string(),
        }
    }
}

impl<'de> Deserialize<'de> for Variable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVariable)
    }
}

struct AnyVariable;

impl<'de> Visitor<'de> for AnyVariable {
    type Value = Variable;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, { source = \"commit\" } or { source = \"time\" }")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Variable, E> {
        match text.contains('\0') {
            true => Err(E::custom("a variable cannot contain a NUL")),
            false => Ok(Variable::Text(text.to_owned())),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Variable, A::Error> {
        let wrong =
            || A::Error::custom("expected { source = \"commit\" } or { source = \"time\" }");
        let Some((key, value)) = map.next_entry::<String, String>()? else {
            return Err(wrong());
        };
        match (key.as_str(), value.as_str(), map.next_key::<String>()?) {
            ("source", "commit", None) => Ok(Variable::Commit),
            ("source", "time", None) => Ok(Variable::Time),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Environment, String> {
        content::toml::parse(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn variables_are_texts_or_facts_of_the_source() {
        let read = parse("A = 'x'\nB_1 = { source = 'commit' }\nC.source = 'time'").unwrap();
        let read: Vec<_> = read
            .iter()
            .map(|(name, value)| (name.as_str(), value))
            .collect();
        let expected = [
            ("A", &Variable::Text("x".to_owned())),
            ("B_1", &Variable::Commit),
            ("C", &Variable::Time),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn other_variables_are_refused() {
        let wrong = "expected { source = \"commit\" } or { source = \"time\" }";
        for (text, reason) in [
            ("A = 1", "expected a text, { source"),
            ("A = ['commit']", "expected a text, { source"),
            ("A = { source = 'branch' }", wrong),
            ("A = { source = 'commit', x = '' }", wrong),
            ("A = {}", wrong),
            ("'A=B' = ''", "expected letters, digits and _"),
            ("'1A' = ''", "expected letters, digits and _"),
            ("'' = ''", "expected letters, digits and _"),
            ("A = \"\\u0000\"", "cannot contain a NUL"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
