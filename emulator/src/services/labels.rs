//! Labels of resources ("Requirements for labels").

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::status::Status;

/// The largest number of labels of a resource.
const MOST: usize = 64;
/// The largest length of a key and of a value, in characters.
const LENGTH: usize = 63;
/// The largest length of a key and of a value, in bytes.
const BYTES: usize = 128;

/// Labels whose keys and values have the form that Google requires.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Labels(BTreeMap<String, String>);

impl Labels {
    /// Checks labels.
    ///
    /// # Errors
    /// There are too many, or a key or a value has another form.
    pub fn new(labels: BTreeMap<String, String>) -> Result<Self, Status> {
        if labels.len() > MOST {
            return Err(Status::invalid(format!(
                "A resource cannot have more than {MOST} labels."
            )));
        }
        for (key, value) in &labels {
            if !is_key(key) {
                return Err(Status::invalid(format!(
                    "Invalid label key '{key}': expected 1 to {LENGTH} lower-case letters, digits, '_' and '-', beginning with a letter."
                )));
            }
            if !is_value(value) {
                return Err(Status::invalid(format!(
                    "Invalid value '{value}' of the label '{key}': expected at most {LENGTH} lower-case letters, digits, '_' and '-'."
                )));
            }
        }
        Ok(Self(labels))
    }

    /// The labels by key.
    pub fn get(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

fn is_key(text: &str) -> bool {
    text.starts_with(is_letter) && is_value(text)
}

fn is_value(text: &str) -> bool {
    let is_known = |c: char| is_letter(c) || c.is_numeric() || c == '_' || c == '-';
    text.chars().all(is_known) && text.chars().count() <= LENGTH && text.len() <= BYTES
}

/// Whether a character is a letter in lower case, or of a script without case.
fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !c.is_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(key: &str, value: &str) -> Result<Labels, u16> {
        Labels::new([(key.to_owned(), value.to_owned())].into()).map_err(|refused| refused.code)
    }

    #[test]
    fn labels_have_the_form_that_google_requires() {
        let long = "a".repeat(LENGTH);
        for (key, value) in [
            ("team", "bank"),
            ("t", ""),
            ("größe", "名"),
            ("a_b-1", "1-_"),
            (&long, &long),
        ] {
            assert!(one(key, value).is_ok(), "{key} {value}");
        }
        let longer = "a".repeat(LENGTH + 1);
        for (key, value) in [
            ("", "x"),
            ("Team", "x"),
            ("1a", "x"),
            ("-a", "x"),
            ("a.b", "x"),
            (&longer, "x"),
            ("a", "Bank"),
            ("a", "b c"),
            ("a", &longer),
        ] {
            assert_eq!(one(key, value), Err(400), "{key} {value}");
        }
    }

    #[test]
    fn a_resource_has_a_limited_number_of_labels() {
        let labels = |count: usize| {
            let labels = (0..count).map(|n| (format!("l{n}"), String::new()));
            Labels::new(labels.collect()).map_err(|refused| refused.code)
        };
        assert!(labels(MOST).is_ok());
        assert_eq!(labels(MOST + 1), Err(400));
    }
}
