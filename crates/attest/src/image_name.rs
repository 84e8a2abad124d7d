//! The name of an image among those that one `Image.toml` describes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Maximum size of a name, in bytes.
const LENGTH: usize = 128;

/// The name of an image among those that one `Image.toml` describes: provenance has it as the external parameter `image`.
/// It can be the last part of the name of a repository (OCI distribution specification, "Pulling manifests").
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageName(String);

/// A text that names no image.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "invalid name of an image: expected lower-case letters and digits, with single . _ or - between them, as \"server\""
)]
pub struct InvalidImageName;

impl ImageName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ImageName {
    type Err = InvalidImageName;

    fn from_str(text: &str) -> Result<Self, InvalidImageName> {
        let is_plain = |part: &str| {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            !part.is_empty() && part.bytes().all(plain)
        };
        match text.len() <= LENGTH && text.split(['.', '_', '-']).all(is_plain) {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidImageName),
        }
    }
}

impl TryFrom<String> for ImageName {
    type Error = InvalidImageName;

    fn try_from(text: String) -> Result<Self, InvalidImageName> {
        text.parse()
    }
}

impl From<ImageName> for String {
    fn from(name: ImageName) -> Self {
        name.0
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_folder_and_no_option() {
        let longest = "a".repeat(LENGTH);
        for name in ["server", "0", "web-1.2_3", &longest] {
            assert_eq!(name.parse::<ImageName>().unwrap().as_str(), name);
        }
        let longer = "a".repeat(LENGTH + 1);
        for text in [
            "", ".", "..", "-a", "--help", "a/b", "a--b", "a.", "Server", "ä", "a b", "a\n",
            &longer,
        ] {
            assert_eq!(text.parse::<ImageName>(), Err(InvalidImageName), "{text}");
        }
    }
}
