//! What all names of resources have in common, and the error of an invalid one.

use std::fmt;

/// The number of characters of an invalid name that an error shows.
const SHOWN: usize = 200;

/// A text that is not a name of the expected form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidName {
    expected: &'static str,
    found: String,
}

impl InvalidName {
    pub(crate) fn new(expected: &'static str, found: &str) -> Self {
        let found = found.chars().take(SHOWN).collect();
        Self { expected, found }
    }

    /// The form of the expected name, such as `projects/P/topics/T`.
    pub fn expected(&self) -> &'static str {
        self.expected
    }
}

impl fmt::Display for InvalidName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, found } = self;
        write!(out, "expected {expected}, found `{}`", found.escape_debug())
    }
}

impl std::error::Error for InvalidName {}

/// Splits `PARENT/COLLECTION/ID` into parent and ID.
pub(crate) fn split<'a>(text: &'a str, collection: &str) -> Option<(&'a str, &'a str)> {
    let (rest, id) = text.rsplit_once('/')?;
    let parent = rest.strip_suffix(collection)?.strip_suffix('/')?;
    Some((parent, id))
}

/// Whether `id` begins with a letter or digit and otherwise has letters, digits and the characters of
/// `others` only.
pub(crate) fn is_id(id: &str, others: &str) -> bool {
    let is_known = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    id.starts_with(|first: char| first.is_ascii_alphanumeric()) && id.chars().all(is_known)
}

/// Whether `id` is an ID of [`is_id`] without upper-case letters.
pub(crate) fn is_lower_id(id: &str, others: &str) -> bool {
    is_id(id, others) && !id.contains(|c: char| c.is_ascii_uppercase())
}

/// Implements parsing for a type with a function `read(&str) -> Option<Self>`.
macro_rules! name {
    ($name:ident, $form:literal) => {
        impl std::str::FromStr for $name {
            type Err = $crate::InvalidName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::read(text).ok_or_else(|| $crate::InvalidName::new($form, text))
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::InvalidName;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.to_string()
            }
        }
    };
}

pub(crate) use name;
