//! `[[wheels]]`: Python packages that the image contains.

use std::path::{Component, Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The wheels of the requirements in a file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "RawWheels")]
pub struct WheelsSpec {
    /// The file, in the format of pip, relative to the directory of `Image.toml`.
    pub requirements: String,
    /// The directory of the image that they are unpacked in.
    pub path: PathBuf,
    /// The Python that they are for, if no package of `[runtime]` is one.
    pub python: Option<PythonSpec>,
}

/// A Python of the base image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PythonSpec {
    /// The version, as `3.12` or `3.12.4`: major, minor and what follows.
    pub version: (u32, u32, String),
    /// The version of the C library, as `2.36`.
    pub glibc: (u32, u32),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWheels {
    requirements: String,
    path: String,
    python: Option<String>,
    glibc: Option<String>,
}

impl TryFrom<RawWheels> for WheelsSpec {
    type Error = String;

    fn try_from(raw: RawWheels) -> Result<Self, String> {
        let wrong = |reason: String| format!("wheels {:?}: {reason}", raw.requirements);
        if !raw.requirements.split('/').all(is_name) {
            return Err(wrong(
                "expected a file below the directory of Image.toml".to_owned(),
            ));
        }
        if !is_directory(&raw.path) {
            return Err(wrong(format!(
                "expected a path such as /app/site-packages, found {:?}",
                raw.path
            )));
        }
        let python = match (raw.python, raw.glibc) {
            (None, None) => None,
            (Some(python), Some(glibc)) => Some(PythonSpec::parse(&python, &glibc).map_err(wrong)?),
            _ => {
                return Err(wrong(
                    "expected python and glibc together, which describe a base image".to_owned(),
                ));
            }
        };
        Ok(Self {
            requirements: raw.requirements,
            path: raw.path.into(),
            python,
        })
    }
}

impl PythonSpec {
    fn parse(python: &str, glibc: &str) -> Result<Self, String> {
        let version = pair(python).filter(|(.., rest)| rest.is_empty() || rest.starts_with('.'));
        let version = version.filter(|(major, ..)| *major == 3);
        let version = version.ok_or_else(|| {
            format!("expected a version such as \"3.12\" as python, found {python:?}")
        })?;
        let glibc = match pair(glibc) {
            Some((2, minor, "")) => (2, minor),
            _ => {
                return Err(format!(
                    "expected a version such as \"2.36\" as glibc, found {glibc:?}"
                ));
            }
        };
        let (major, minor, rest) = version;
        Ok(Self {
            version: (major, minor, rest.to_owned()),
            glibc,
        })
    }
}

/// The first two numbers of a version, and what follows.
pub(crate) fn pair(version: &str) -> Option<(u32, u32, &str)> {
    let (major, rest) = version.split_once('.')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (minor, rest) = rest.split_at(digits);
    let number = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse().ok().filter(|number| *number < 1000),
        false => None,
    };
    Some((number(major)?, number(minor)?, rest))
}

fn is_name(part: &str) -> bool {
    !matches!(part, "" | "." | "..") && !part.contains('\0')
}

fn is_directory(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    let is_absolute = parts.next() == Some(Component::RootDir);
    let mut rest = parts.peekable();
    let is_below = rest.peek().is_some();
    let is_plain = rest.all(|part| matches!(part, Component::Normal(_)));
    let printable = path
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b':');
    is_absolute && is_below && is_plain && printable
}

/// Wheels, each with a directory of their own.
pub(super) fn distinct<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<WheelsSpec>, D::Error> {
    let all = Vec::deserialize(deserializer)?;
    check(&all).map_err(D::Error::custom)?;
    Ok(all)
}

/// Checks that no two have one directory.
pub(super) fn check(all: &[WheelsSpec]) -> Result<(), String> {
    for (index, one) in all.iter().enumerate() {
        if all[..index].iter().any(|other| other.path == one.path) {
            return Err(format!(
                "wheels: two are at {:?}, but each needs a directory of its own",
                one.path
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<WheelsSpec, String> {
        let text = format!("requirements = 'deploy/requirements.txt'\n{text}");
        content::toml::parse::<WheelsSpec>(&text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn wheels_have_a_directory_and_perhaps_a_python() {
        let plain = read("path = '/app/site-packages'").unwrap();
        assert_eq!(
            (plain.path, plain.python),
            ("/app/site-packages".into(), None)
        );
        let based = read("path = '/app'\npython = '3.12.4'\nglibc = '2.36'").unwrap();
        let python = based.python.unwrap();
        assert_eq!(python.version, (3, 12, ".4".to_owned()));
        assert_eq!(python.glibc, (2, 36));
        for (text, fault) in [
            ("path = 'app'", "expected a path such as /app/site-packages"),
            ("path = '/'", "expected a path such as"),
            ("path = '/a/../b'", "expected a path such as"),
            (
                "path = '/a'\npython = '3.12'",
                "expected python and glibc together",
            ),
            (
                "path = '/a'\npython = '2.7'\nglibc = '2.36'",
                "expected a version such as \"3.12\"",
            ),
            (
                "path = '/a'\npython = '3.x'\nglibc = '2.36'",
                "expected a version such as \"3.12\"",
            ),
            (
                "path = '/a'\npython = '3.12'\nglibc = '3'",
                "expected a version such as \"2.36\"",
            ),
            ("path = '/a'\nother = 1", "unknown field `other`"),
        ] {
            let found = read(text).unwrap_err();
            assert!(found.contains(fault), "{text}: {found}");
        }
    }

    #[test]
    fn a_file_is_below_the_directory() {
        for file in ["../requirements.txt", "/requirements.txt", "", "a//b"] {
            let text = format!("requirements = '{file}'\npath = '/app'");
            let found = content::toml::parse::<WheelsSpec>(&text).unwrap_err();
            assert!(found.message().contains("expected a file below"), "{found}");
        }
    }
}
