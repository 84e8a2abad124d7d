//! Names and versions of crates. They become parts of paths, and a lock is untrusted, so their characters are limited.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Maximum length of a name or a version, in characters; more than any registry accepts.
const LENGTH: usize = 128;

/// The name of a crate in a registry: ASCII letters, digits, `-` and `_` (The Cargo Book, `name`).
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct CrateName(String);

/// The version of a crate (Semantic Versioning 2.0.0).
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct CrateVersion(String);

/// Text that is not a name or version of a crate.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("parsing crate: expected {expected}, found {found:?}")]
pub struct InvalidCrate {
    expected: &'static str,
    found: String,
}

impl InvalidCrate {
    fn new(expected: &'static str, found: &str) -> Self {
        Self {
            expected,
            found: found.chars().take(LENGTH).collect(),
        }
    }
}

impl FromStr for CrateName {
    type Err = InvalidCrate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        match is_short(text) && text.bytes().all(plain) {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidCrate::new("a name", text)),
        }
    }
}

impl FromStr for CrateVersion {
    type Err = InvalidCrate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match is_short(text) && is_version(text) {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidCrate::new("a version", text)),
        }
    }
}

fn is_short(text: &str) -> bool {
    (1..=LENGTH).contains(&text.len())
}

/// `<number>.<number>.<number>[-<identifiers>][+<identifiers>]`
fn is_version(text: &str) -> bool {
    let (rest, build) = split(text, '+');
    let (core, pre) = split(rest, '-');
    let numbers = core.split('.').collect::<Vec<_>>();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_identifier = |part: &str| !part.is_empty() && part.bytes().all(plain);
    let mut behind = [pre, build].into_iter().flatten();
    numbers.len() == 3
        && numbers.iter().all(is_number)
        && behind.all(|list| list.split('.').all(is_identifier))
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, behind)) => (before, Some(behind)),
        None => (text, None),
    }
}

impl CrateVersion {
    /// The version without build metadata, as a requirement has it (Semantic Versioning 2.0.0, item 10).
    pub fn without_build(&self) -> &str {
        split(&self.0, '+').0
    }
}

macro_rules! text {
    ($name:ident) => {
        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidCrate;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(parsed: $name) -> Self {
                parsed.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text!(CrateName);
text!(CrateVersion);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_be_paths() {
        for name in ["a", "serde_json", "x11-dl", "0"] {
            assert_eq!(name.parse::<CrateName>().unwrap().as_str(), name);
        }
        let long = "a".repeat(129);
        for name in [
            "",
            "a/b",
            "..",
            "/proc/self/cwd/../evil",
            "a b",
            "é",
            "a\0",
            &long,
        ] {
            let refused = name.parse::<CrateName>();
            assert_eq!(refused, Err(InvalidCrate::new("a name", name)));
        }
    }

    #[test]
    fn versions_cannot_be_paths() {
        for version in [
            "1.0.0",
            "0.11.0+wasi-snapshot",
            "1.0.0-rc.1+a-b.2",
            "10.20.30",
        ] {
            assert_eq!(version.parse::<CrateVersion>().unwrap().as_str(), version);
        }
        for version in [
            "",
            "1",
            "1.0",
            "1.0.0.0",
            "1.0.0-",
            "1.0.0+",
            "1.0.0-a..b",
            "1.0.0/..",
            "..",
            "a.b.c",
            "1.0.0-../x",
            "1.0. 0",
        ] {
            let refused = version.parse::<CrateVersion>();
            assert_eq!(refused, Err(InvalidCrate::new("a version", version)));
        }
    }
}
