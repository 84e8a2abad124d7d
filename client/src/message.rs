//! A message to a workload (docs/messages.md): its names, its attributes, and the additional authenticated data that binds its
//! ciphertext to sender, name and image.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use content::json::JsonError;
use content::{Digest, is_plain, json, printable};
use google::kms::Key;

/// The longest name in bytes.
const NAME_LIMIT: usize = 128;
/// Random bytes in a name that is not given.
const RANDOM: usize = 16;

/// The name of a collaborator in the terms, or of a message: 1 to 128 bytes that can be printed as they are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Name(String);

/// A text that is not a name.
#[derive(Debug, thiserror::Error)]
#[error("expected 1 to {NAME_LIMIT} bytes of text without control characters, found \"{0}\"")]
pub struct InvalidName(String);

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let is_name = (1..=NAME_LIMIT).contains(&text.len()) && text.chars().all(is_plain);
        match is_name {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidName(printable(text, NAME_LIMIT))),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Name {
    /// A name that no other message has. It says nothing about the data.
    ///
    /// # Errors
    /// The random number generator of the system fails.
    pub fn random() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let mut bytes = [0; RANDOM];
        aws_lc_rs::rand::fill(&mut bytes)?;
        Ok(Self(hex::encode(bytes)))
    }
}

/// Everything in a message but its data.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Header {
    /// The sender's name in the terms.
    pub collaborator: Name,
    /// The sender's name for the message.
    pub message: Name,
    /// The image that may read it.
    pub image_digest: Digest,
    /// The key that the data is encrypted with.
    pub key: Key,
}

impl Header {
    /// The additional authenticated data of the ciphertext: `{"collaborator":…,"image_digest":…,"message":…}` in the canonical
    /// form of JSON (RFC 8785).
    ///
    /// # Errors
    /// None is known: the names are text.
    pub fn associated_data(&self) -> Result<Vec<u8>, JsonError> {
        let image_digest = self.image_digest.to_string();
        json::canonical(&BTreeMap::from([
            ("collaborator", self.collaborator.0.as_str()),
            ("image_digest", &image_digest),
            ("message", &self.message.0),
        ]))
    }

    /// The attributes of the message.
    pub fn attributes(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("collaborator", self.collaborator.0.clone()),
            ("key", self.key.to_string()),
            ("message", self.message.0.clone()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_printable() {
        let longest = "é".repeat(NAME_LIMIT / 2);
        for text in ["m", "first", "a b \"c\" \\", &longest] {
            assert_eq!(text.parse::<Name>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "a\nb",
            "a\u{1b}[2J",
            "a\u{202e}b",
            &format!("{longest}x"),
        ] {
            let error = text.parse::<Name>().unwrap_err().to_string();
            assert!(error.starts_with("expected 1 to 128 bytes"), "{error}");
            assert!(error.chars().all(is_plain), "{error}");
        }
    }

    #[test]
    fn random_names_are_names_and_differ() {
        let [one, two] = [Name::random().unwrap(), Name::random().unwrap()];
        assert_eq!(one.to_string().parse::<Name>().unwrap(), one);
        assert_ne!(one, two);
    }
}
