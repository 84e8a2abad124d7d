//! The names and versions of modules. They become parts of addresses and of paths, so only plain ones are allowed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest name or version, in bytes.
const LENGTH: usize = 256;
/// The end of the version of a module's `go.mod` in `go.sum`.
const MANIFEST: &str = "/go.mod";

/// The path of a module (golang.org/x/mod/module, `CheckPath`).
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModuleName(String);

/// The version of a module and which of its files is meant.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModuleVersion(String);

/// A file of a module.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Part {
    /// The archive with all files.
    Archive,
    /// The file `go.mod`.
    Manifest,
}

/// Text that is not the name or version of a module.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a {what} of a Go module, found {:?}", crate::untrusted::shown(.found))]
pub struct InvalidModule {
    what: &'static str,
    found: String,
}

impl ModuleName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ModuleVersion {
    /// The version as `go.sum` writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The version without the part.
    pub fn number(&self) -> &str {
        self.0.strip_suffix(MANIFEST).unwrap_or(&self.0)
    }

    /// The file that is meant.
    pub fn part(&self) -> Part {
        match self.0.ends_with(MANIFEST) {
            true => Part::Manifest,
            false => Part::Archive,
        }
    }
}

impl FromStr for ModuleName {
    type Err = InvalidModule;

    fn from_str(text: &str) -> Result<Self, InvalidModule> {
        let is_plain = |part: &str| {
            let edges = [part.chars().next(), part.chars().last()];
            !part.is_empty()
                && !edges.contains(&Some('.'))
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c))
        };
        match text.len() <= LENGTH && !text.starts_with('-') && text.split('/').all(is_plain) {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidModule {
                what: "name",
                found: text.to_owned(),
            }),
        }
    }
}

impl FromStr for ModuleVersion {
    type Err = InvalidModule;

    fn from_str(text: &str) -> Result<Self, InvalidModule> {
        let version = text.strip_suffix(MANIFEST).unwrap_or(text);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.+".contains(c);
        match version.len() <= LENGTH && version.starts_with('v') && version.chars().all(is_plain) {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidModule {
                what: "version",
                found: text.to_owned(),
            }),
        }
    }
}

impl TryFrom<String> for ModuleName {
    type Error = InvalidModule;

    fn try_from(text: String) -> Result<Self, InvalidModule> {
        text.parse()
    }
}

impl TryFrom<String> for ModuleVersion {
    type Error = InvalidModule;

    fn try_from(text: String) -> Result<Self, InvalidModule> {
        text.parse()
    }
}

impl From<ModuleName> for String {
    fn from(name: ModuleName) -> Self {
        name.0
    }
}

impl From<ModuleVersion> for String {
    fn from(version: ModuleVersion) -> Self {
        version.0
    }
}

impl fmt::Display for ModuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ModuleVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_and_versions_are_allowed() {
        for name in [
            "example.org/x",
            "github.com/Azure/azure-sdk/v2",
            "gopkg.in/yaml.v3",
            "a",
        ] {
            assert_eq!(name.parse::<ModuleName>().unwrap().as_str(), name);
        }
        for name in [
            "", "/a", "a/", "a//b", "../a", "a/..", "a/.b", "a b", "a@b", "a!b", "-a", "a\n", "é",
        ] {
            assert!(name.parse::<ModuleName>().is_err(), "{name}");
        }
        let version = |text: &str| text.parse::<ModuleVersion>();
        let manifest = version("v1.2.3+incompatible/go.mod").unwrap();
        assert_eq!(
            (manifest.number(), manifest.part()),
            ("v1.2.3+incompatible", Part::Manifest)
        );
        assert_eq!(manifest.to_string(), "v1.2.3+incompatible/go.mod");
        assert_eq!(version("v0.0.0-2023-ab").unwrap().part(), Part::Archive);
        for wrong in ["", "1.2.3", "v1/../2", "v1/go.sum", "v1 ", "v1\u{e9}"] {
            assert!(version(wrong).is_err(), "{wrong}");
        }
    }
}
