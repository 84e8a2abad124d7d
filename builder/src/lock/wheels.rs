//! Python packages as locks name them.

use std::fmt;
use std::str::FromStr;

use content::Digest;
use serde::{Deserialize, Serialize};

use crate::untrusted::shown;

/// Maximum size of a wheel, in bytes. The largest of machine learning have a few gigabytes, and are not supported.
pub(crate) const ARCHIVE: u64 = 1 << 30;
/// The longest name of a file, in bytes.
const LENGTH: usize = 255;

/// A wheel: the archive of a Python package (PyPA specifications, "Binary distribution format").
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Wheel {
    /// The name of the file, which says name, version and the systems that the package is for.
    pub file: WheelFile,
    /// SHA-256 of the wheel.
    pub sha256: Digest,
    /// Its size in bytes.
    #[serde(deserialize_with = "crate::lock::size::at_most::<{ ARCHIVE }, _>")]
    pub size: u64,
}

/// The name of a wheel: `NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl`.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct WheelFile(String);

/// Text that is not the name of a wheel.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected the name of a wheel, found {:?}", shown(.0))]
pub struct InvalidWheel(String);

impl WheelFile {
    /// The name of the file.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the package, as packages are compared.
    pub fn name(&self) -> String {
        normal(self.part(0))
    }

    /// The version of the package.
    pub fn version(&self) -> &str {
        self.part(1)
    }

    /// The beginning of the names of the package's own folders: `NAME-VERSION`.
    pub fn stem(&self) -> String {
        format!("{}-{}", self.part(0), self.part(1))
    }

    fn part(&self, index: usize) -> &str {
        self.0.split('-').nth(index).unwrap_or_default()
    }
}

impl FromStr for WheelFile {
    type Err = InvalidWheel;

    fn from_str(text: &str) -> Result<Self, InvalidWheel> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._+!".contains(c);
        let parts: Vec<_> = text.strip_suffix(".whl").unwrap_or_default().split('-').collect();
        let are_plain = parts.iter().all(|part| !part.is_empty() && !part.starts_with('.') && part.chars().all(is_plain));
        match matches!(parts.len(), 5 | 6) && are_plain && text.len() <= LENGTH {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidWheel(text.to_owned())),
        }
    }
}

impl TryFrom<String> for WheelFile {
    type Error = InvalidWheel;

    fn try_from(text: String) -> Result<Self, InvalidWheel> {
        text.parse()
    }
}

impl From<WheelFile> for String {
    fn from(file: WheelFile) -> Self {
        file.0
    }
}

impl fmt::Display for WheelFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a package as packages are compared (PyPA specifications, "Names and normalization").
pub(crate) fn normal(name: &str) -> String {
    let mut normal = String::new();
    for c in name.chars() {
        let c = match c {
            '_' | '.' => '-',
            c => c.to_ascii_lowercase(),
        };
        if c != '-' || !normal.ends_with('-') {
            normal.push(c);
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_package_and_version() {
        let file: WheelFile = "Flask_Cors-3.1.0-1-py3-none-any.whl".parse().unwrap();
        assert_eq!((file.name().as_str(), file.version()), ("flask-cors", "3.1.0"));
        assert_eq!(file.stem(), "Flask_Cors-3.1.0");
        let abi: WheelFile = "markupsafe-3.0.2-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl".parse().unwrap();
        assert_eq!(abi.name(), "markupsafe");
        for wrong in ["", "flask.whl", "flask-3.1.0.tar.gz", "../a-1-py3-none-any.whl", "a-1-py3-none-/.whl", "a-1--py3-none-any.whl", ".a-1-py3-none-any.whl"] {
            assert!(wrong.parse::<WheelFile>().is_err(), "{wrong}");
        }
    }
}
