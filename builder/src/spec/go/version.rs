//! Versions of Go's toolchain (The Go Blog, "Go Toolchains", section "Go versions").

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A version of Go, such as `1.26.3` or `1.27rc1`, or a version of the language, such as `1.26`. Versions are compared as Go
/// does: a version of the language is older than its first release candidate.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct GoVersion {
    major: u32,
    minor: u32,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Stage {
    Language,
    Beta(u32),
    Candidate(u32),
    Release(u32),
}

/// The first version whose releases are modules.
const MODULES: (u32, u32) = (1, 21);

/// Text that is not a version of Go.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a version of Go such as 1.26.3")]
pub struct InvalidGoVersion;

impl GoVersion {
    /// The release to use for this version: itself, or the first release of a version of the language; `None` if there is no
    /// module of it.
    pub fn release(&self) -> Option<Self> {
        let stage = match self.stage {
            Stage::Language => Stage::Release(0),
            stage => stage,
        };
        let release = Self {
            stage,
            ..self.clone()
        };
        ((self.major, self.minor) >= MODULES).then_some(release)
    }
}

impl FromStr for GoVersion {
    type Err = InvalidGoVersion;

    /// Reads versions with and without `go` before them.
    fn from_str(text: &str) -> Result<Self, InvalidGoVersion> {
        let (major, rest) = text
            .strip_prefix("go")
            .unwrap_or(text)
            .split_once('.')
            .ok_or(InvalidGoVersion)?;
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (minor, stage) = rest.split_at(end);
        let stage = match stage {
            "" => Stage::Language,
            _ => None
                .or_else(|| Some(Stage::Release(number(stage.strip_prefix('.')?)?)))
                .or_else(|| Some(Stage::Candidate(number(stage.strip_prefix("rc")?)?)))
                .or_else(|| Some(Stage::Beta(number(stage.strip_prefix("beta")?)?)))
                .ok_or(InvalidGoVersion)?,
        };
        Ok(Self {
            major: number(major).ok_or(InvalidGoVersion)?,
            minor: number(minor).ok_or(InvalidGoVersion)?,
            stage,
        })
    }
}

/// A number without a sign and without zeros before it.
fn number(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = is_number && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain)
}

impl TryFrom<String> for GoVersion {
    type Error = InvalidGoVersion;

    fn try_from(text: String) -> Result<Self, InvalidGoVersion> {
        text.parse()
    }
}

impl From<GoVersion> for String {
    fn from(version: GoVersion) -> Self {
        version.to_string()
    }
}

impl fmt::Display for GoVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        match self.stage {
            Stage::Language => Ok(()),
            Stage::Beta(number) => write!(f, "beta{number}"),
            Stage::Candidate(number) => write!(f, "rc{number}"),
            Stage::Release(number) => write!(f, ".{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_go_orders_them() {
        let ordered = [
            "1.19",
            "1.21",
            "1.21rc2",
            "1.21.0",
            "1.21.10",
            "1.27beta1",
            "1.27rc1",
            "2.0.0",
        ];
        let parsed = ordered.map(|text| text.parse::<GoVersion>().unwrap());
        assert!(parsed.is_sorted());
        assert_eq!(parsed.each_ref().map(GoVersion::to_string), ordered);
        assert_eq!(
            "go1.26.0".parse::<GoVersion>().unwrap().to_string(),
            "1.26.0"
        );
        for wrong in [
            "",
            "1",
            "go",
            "1.",
            "1.x",
            "1.26.",
            "1.26.0-local",
            "01.2",
            "1.026",
            "1.26.0.0",
            "+1.2",
            "1.2/3",
        ] {
            assert_eq!(wrong.parse::<GoVersion>(), Err(InvalidGoVersion), "{wrong}");
        }
    }

    #[test]
    fn a_version_of_the_language_stands_for_its_first_release() {
        let release = |text: &str| {
            text.parse::<GoVersion>()
                .unwrap()
                .release()
                .map(|one| one.to_string())
        };
        assert_eq!(release("1.21").as_deref(), Some("1.21.0"));
        assert_eq!(release("1.26.3").as_deref(), Some("1.26.3"));
        assert_eq!(release("1.27rc1").as_deref(), Some("1.27rc1"));
        assert_eq!(release("1.20.14"), None);
    }
}
