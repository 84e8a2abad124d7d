//! The source package that a package was built from. Security advisories of Debian are about source packages.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Maximum size of a name or version, in bytes; more than any archive has.
const LENGTH: usize = 256;

/// A source package, as `Source` in a package list names it: `NAME`, or `NAME (VERSION)` if its version is not that of the
/// package (Debian Policy, 5.6.1).
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourcePackage {
    name: String,
    version: Option<String>,
}

/// Text that names no source package.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("parsing package: expected a source package as NAME or NAME (VERSION), found {0:?}")]
pub struct InvalidSource(String);

impl SourcePackage {
    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version, if it is not that of the package.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }
}

impl FromStr for SourcePackage {
    type Err = InvalidSource;

    fn from_str(text: &str) -> Result<Self, InvalidSource> {
        let invalid = || InvalidSource(text.chars().take(LENGTH).collect());
        let (name, version) = match text.split_once(" (") {
            Some((name, rest)) => (name, Some(rest.strip_suffix(')').ok_or_else(invalid)?)),
            None => (text, None),
        };
        let parts = [Some((name, "+-._")), version.map(|text| (text, "+-.~:"))];
        let mut parts = parts.into_iter().flatten();
        match parts.all(|(text, marks)| is_word(text, marks)) {
            true => Ok(Self {
                name: name.to_owned(),
                version: version.map(str::to_owned),
            }),
            false => Err(invalid()),
        }
    }
}

/// Whether a text has letters, digits and these marks only.
fn is_word(text: &str, marks: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || marks.contains(c);
    (1..=LENGTH).contains(&text.len()) && text.chars().all(is_plain)
}

impl TryFrom<String> for SourcePackage {
    type Error = InvalidSource;

    fn try_from(text: String) -> Result<Self, InvalidSource> {
        text.parse()
    }
}

impl From<SourcePackage> for String {
    fn from(source: SourcePackage) -> Self {
        source.to_string()
    }
}

impl fmt::Display for SourcePackage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(out, "{} ({version})", self.name),
            None => out.write_str(&self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_a_name_and_perhaps_a_version() {
        for (text, name, version) in [
            ("glibc", "glibc", None),
            ("gcc-12 (12.2.0-14)", "gcc-12", Some("12.2.0-14")),
            (
                "gtk+3.0 (1:3.24~rc1-1+b2)",
                "gtk+3.0",
                Some("1:3.24~rc1-1+b2"),
            ),
        ] {
            let source: SourcePackage = text.parse().unwrap();
            assert_eq!((source.name(), source.version()), (name, version));
            assert_eq!(source.to_string(), text);
        }
        let long = "a".repeat(LENGTH + 1);
        for text in [
            "", "a b", "a (1", "a ()", "a (1) ", "a(1)", "a&b", "a@1", &long,
        ] {
            assert!(text.parse::<SourcePackage>().is_err(), "{text}");
        }
    }
}
