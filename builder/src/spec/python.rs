//! `[python]`: Python packages that the image contains.

use serde::Deserialize;

/// Python packages, as wheels.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct PythonSpec {
    /// The list of packages with their hashes, in pip's format, relative to the directory of `Image.toml`.
    pub requirements: String,
    /// The version of the Python that runs the program.
    pub version: PythonVersion,
}

/// A version of Python of two numbers, such as `3.13`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct PythonVersion(String);

impl PythonVersion {
    /// The version as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PythonVersion {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let minor = text.strip_prefix("3.").unwrap_or_default();
        let is_number = (1..=2).contains(&minor.len()) && minor.bytes().all(|byte| byte.is_ascii_digit());
        match is_number && (minor == "0" || !minor.starts_with('0')) {
            true => Ok(Self(text)),
            false => Err(format!("version {text:?}: expected a version of Python such as \"3.13\"")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_two_numbers() {
        let read = |text: &str| content::toml::parse::<PythonSpec>(text).map_err(|error| error.message().to_owned());
        let spec = read("requirements = 'requirements.txt'\nversion = '3.13'").unwrap();
        assert_eq!(spec.version.as_str(), "3.13");
        for wrong in ["3", "3.", "3.013", "3.x", "2.7", "3.13.5"] {
            let fault = read(&format!("requirements = 'r'\nversion = '{wrong}'")).unwrap_err();
            assert!(fault.contains("expected a version of Python"), "{fault}");
        }
    }
}
