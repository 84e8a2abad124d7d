//! The name of an image among those that one `Image.toml` describes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The file beside the folders of images, which have their names.
pub(crate) const LIST: &str = "images.json";
/// Maximum size of a name, in bytes.
const LENGTH: usize = 128;

/// The name of an image among those that one `Image.toml` describes: provenance has it as the external parameter `image`.
/// It can be the last part of the name of a repository (OCI distribution specification, "Pulling manifests"), and is the name of
/// a folder beside `images.json`, which is therefore none.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageName(String);

/// Why a text is no name of an image.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidImageName {
    /// It has other characters, or none.
    #[error(
        "invalid name of an image: expected lower-case letters and digits, with single . _ or - between them, as \"server\""
    )]
    Characters,
    /// It is too long.
    #[error("invalid name of an image: expected at most {LENGTH} characters")]
    Long,
    /// A file that a build writes has this name.
    #[error("invalid name of an image: a build writes its list of images as {LIST}")]
    Taken,
}

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
        if text.len() > LENGTH {
            return Err(InvalidImageName::Long);
        }
        if !text.split(['.', '_', '-']).all(is_plain) {
            return Err(InvalidImageName::Characters);
        }
        match text == LIST {
            true => Err(InvalidImageName::Taken),
            false => Ok(Self(text.to_owned())),
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
        for text in [
            "", ".", "..", "-a", "--help", "a/b", "a--b", "a.", "Server", "ä", "a b", "a\n",
        ] {
            let refused = text.parse::<ImageName>();
            assert_eq!(refused, Err(InvalidImageName::Characters), "{text}");
        }
    }

    #[test]
    fn a_name_that_is_too_long_or_taken_is_refused_with_the_reason() {
        let reason = |text: &str| text.parse::<ImageName>().unwrap_err().to_string();
        let longer = "a".repeat(LENGTH + 1);
        assert!(reason(&longer).ends_with("expected at most 128 characters"));
        assert!(
            reason("images.json").ends_with("a build writes its list of images as images.json")
        );
    }
}
