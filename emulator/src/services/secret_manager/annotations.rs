//! Annotations of secrets (google/cloud/secretmanager/v1/resources.proto, `Secret.annotations`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::status::Status;

/// The largest length of a key, in characters, all of which are ASCII.
const KEY: usize = 63;
/// The largest size of all keys and values of a secret, in bytes.
const SIZE: usize = 16 << 10;

/// Annotations that a secret can have.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Annotations(BTreeMap<String, String>);

impl Annotations {
    /// Checks annotations.
    ///
    /// # Errors
    /// A key has another form, or all together are too large.
    pub fn new(annotations: BTreeMap<String, String>) -> Result<Self, Status> {
        if let Some(key) = annotations.keys().find(|key| !is_key(key)) {
            return Err(Status::invalid(format!(
                "Invalid annotation key '{key}': expected 1 to {KEY} letters, digits, '-', '_' and '.', with a letter or digit at both ends."
            )));
        }
        let pairs = annotations.iter();
        let size: usize = pairs.map(|(key, value)| key.len() + value.len()).sum();
        match size > SIZE {
            true => Err(Status::invalid(format!(
                "The annotations have {size} bytes, more than {SIZE}."
            ))),
            false => Ok(Self(annotations)),
        }
    }

    /// The annotations by key.
    pub fn get(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

fn is_key(text: &str) -> bool {
    let is_known = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_end = |c: char| c.is_ascii_alphanumeric();
    text.len() <= KEY
        && text.chars().all(is_known)
        && text.starts_with(is_end)
        && text.ends_with(is_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_have_the_form_that_google_requires() {
        let one = |key: &str, value: &str| {
            Annotations::new([(key.to_owned(), value.to_owned())].into())
                .map(|_| ())
                .map_err(|refused| refused.code)
        };
        for (key, value) in [("a", ""), ("Team.of_the-9", "any text: ü")] {
            assert_eq!(one(key, value), Ok(()), "{key}");
        }
        let long = "a".repeat(KEY + 1);
        for key in ["", "-a", "a.", "a b", "ü", &long] {
            assert_eq!(one(key, "x"), Err(400), "{key}");
        }
        assert_eq!(one("a", &"x".repeat(SIZE - 1)), Ok(()));
        assert_eq!(one("a", &"x".repeat(SIZE)), Err(400));
    }
}
