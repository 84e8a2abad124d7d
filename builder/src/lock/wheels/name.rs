//! The names of projects, versions and files of wheels. They become parts of addresses and of paths, so only plain ones are
//! allowed.

use std::fmt;
use std::str::FromStr;

use pep440_rs::Version;
use serde::{Deserialize, Serialize};

/// The longest name, version or file name, in bytes.
const LENGTH: usize = 256;
/// The end of the name of a wheel.
const WHEEL: &str = ".whl";

/// The name of a Python project, as names are compared (PyPA specifications, "Name normalization"): in small letters, with one `-`
/// between words.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProjectName(String);

/// The version of a project (PyPA specifications, "Version specifiers").
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct WheelVersion(String);

/// The name of a wheel (PyPA specifications, "Binary distribution format", file name convention).
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct WheelFile(String);

/// Text that is not the name, version or file name of a wheel.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected {what}, found {:?}", crate::untrusted::shown(.found))]
pub struct InvalidWheel {
    what: &'static str,
    found: String,
}

impl ProjectName {
    /// The name that text as people write it stands for.
    ///
    /// # Errors
    /// It has other characters than letters, digits, `.`, `-` and `_`, or does not begin and end with a letter or digit.
    pub fn written(text: &str) -> Result<Self, InvalidWheel> {
        let ends = [text.bytes().next(), text.bytes().last()];
        let ends = ends
            .iter()
            .all(|byte| byte.is_some_and(|byte| byte.is_ascii_alphanumeric()));
        if !ends || !is_plain(text, b"._-") {
            return Err(invalid("the name of a Python project", text));
        }
        let words = text.split(['.', '_', '-']).filter(|word| !word.is_empty());
        let words: Vec<_> = words.map(str::to_ascii_lowercase).collect();
        Ok(Self(words.join("-")))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl WheelVersion {
    /// The version as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The version as versions are compared; `None` does not happen.
    pub(crate) fn parsed(&self) -> Option<Version> {
        self.0.parse().ok()
    }
}

impl WheelFile {
    /// The file name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts between hyphens: project, version, perhaps a build tag, and the tags of Python, ABI and platform.
    fn parts(&self) -> Vec<&str> {
        self.0.trim_end_matches(WHEEL).split('-').collect()
    }

    /// The name of the project.
    pub(crate) fn project(&self) -> Option<ProjectName> {
        ProjectName::written(self.parts().first()?).ok()
    }

    /// The version. Older programs write `_` before a local version instead of `+`.
    pub(crate) fn version(&self) -> Option<Version> {
        let text = (*self.parts().get(1)?).to_owned();
        text.parse()
            .or_else(|_| text.replacen('_', "+", 1).parse())
            .ok()
    }

    /// The build tag, as builds of one version are ordered; 0 without one.
    pub(crate) fn build(&self) -> (u64, String) {
        let parts = self.parts();
        let tag = match parts[..] {
            [_, _, tag, _, _, _] => tag,
            _ => return (0, String::new()),
        };
        let digits = tag.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = tag.split_at(digits);
        (number.parse().unwrap_or(u64::MAX), rest.to_owned())
    }

    /// The tags of Python, ABI and platform; each may have several, separated by dots.
    pub(crate) fn tags(&self) -> Option<[&str; 3]> {
        let parts = self.parts();
        let (_, tags) = parts.split_at_checked(parts.len().checked_sub(3)?)?;
        <[&str; 3]>::try_from(tags).ok()
    }
}

impl FromStr for WheelFile {
    type Err = InvalidWheel;

    fn from_str(text: &str) -> Result<Self, InvalidWheel> {
        let wrong = || {
            invalid(
                "the name of a wheel, as NAME-VERSION-PYTHON-ABI-PLATFORM.whl",
                text,
            )
        };
        let stem = text.strip_suffix(WHEEL).ok_or_else(wrong)?;
        let parts: Vec<_> = stem.split('-').collect();
        let is_complete = matches!(parts.len(), 5 | 6) && parts.iter().all(|part| !part.is_empty());
        let is_build = parts.len() == 5
            || parts
                .get(2)
                .is_some_and(|tag| tag.starts_with(|c: char| c.is_ascii_digit()));
        let file = Self(text.to_owned());
        let is_named = file.project().is_some() && file.version().is_some();
        match is_plain(text, b"._-+!") && is_complete && is_build && is_named {
            true => Ok(file),
            false => Err(wrong()),
        }
    }
}

impl FromStr for WheelVersion {
    type Err = InvalidWheel;

    fn from_str(text: &str) -> Result<Self, InvalidWheel> {
        match is_plain(text, b"._-+!") && text.parse::<Version>().is_ok() {
            true => Ok(Self(text.to_owned())),
            false => Err(invalid("the version of a Python project", text)),
        }
    }
}

impl FromStr for ProjectName {
    type Err = InvalidWheel;

    /// A lock has the normal form.
    fn from_str(text: &str) -> Result<Self, InvalidWheel> {
        match Self::written(text) {
            Ok(name) if name.0 == text => Ok(name),
            _ => Err(invalid(
                "the normal form of the name of a Python project",
                text,
            )),
        }
    }
}

fn is_plain(text: &str, others: &[u8]) -> bool {
    let mut bytes = text.bytes();
    let plain = bytes.all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte));
    plain && !text.is_empty() && text.len() <= LENGTH
}

fn invalid(what: &'static str, found: &str) -> InvalidWheel {
    let found = found.to_owned();
    InvalidWheel { what, found }
}

macro_rules! text {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = InvalidWheel;

            fn try_from(text: String) -> Result<Self, InvalidWheel> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text!(ProjectName, WheelVersion, WheelFile);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_in_one_form() {
        for (written, normal) in [
            ("Flask", "flask"),
            ("typing_extensions", "typing-extensions"),
            ("A__b.-c", "a-b-c"),
        ] {
            assert_eq!(ProjectName::written(written).unwrap().as_str(), normal);
        }
        for wrong in ["", "-a", "a-", "a b", "a/b", "ä"] {
            ProjectName::written(wrong).unwrap_err();
        }
        "Flask".parse::<ProjectName>().unwrap_err();
        "flask".parse::<ProjectName>().unwrap();
    }

    #[test]
    fn a_file_name_has_name_version_and_tags() {
        let file: WheelFile =
            "Zope.interface-5.0_x1-2b-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
                .parse()
                .unwrap();
        assert_eq!(file.project().unwrap().as_str(), "zope-interface");
        assert_eq!(file.version().unwrap().to_string(), "5.0+x1");
        assert_eq!(file.build(), (2, "b".to_owned()));
        let platforms = "manylinux_2_17_x86_64.manylinux2014_x86_64";
        assert_eq!(file.tags(), Some(["cp311", "cp311", platforms]));
        let plain: WheelFile = "a-1-py3-none-any.whl".parse().unwrap();
        assert_eq!(plain.build(), (0, String::new()));
        for wrong in [
            "a-1.tar.gz",
            "a-1-py3-none.whl",
            "a-1-x-py3-none-any.whl",
            "a-latest-py3-none-any.whl",
            "../a-1-py3-none-any.whl",
            "a-1-py3--any.whl",
        ] {
            wrong.parse::<WheelFile>().unwrap_err();
        }
    }
}
