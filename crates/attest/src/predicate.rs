//! The types of predicates that the programs write, publish and check. Each is described by one constant in
//! the file of its parser, and `list.rs` lists them.

use std::hash::{Hash, Hasher};

use crate::Error;

/// A signature on an image, in the bundle layout (cosign, `sign`). Its predicate has no members.
pub const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

/// The purpose of statements with a predicate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// It describes an image. `builder build` writes it to the layout of the image, and a policy may require it.
    Description,
    /// It is the verdict of a verifier.
    Verdict,
}

/// A type of predicate. Types are equal if their names are, and ordered by name.
#[derive(Clone, Copy, Debug)]
pub struct Predicate {
    /// The name in policies and reports.
    pub name: &'static str,
    /// The name that cosign uses (`--type`): a short name, or the URI if there is no short name.
    pub cosign_name: &'static str,
    /// The predicate type in statements.
    pub uri: &'static str,
    /// The media type of a file that contains the predicate.
    pub media_type: &'static str,
    /// The name of that file.
    pub file: &'static str,
    /// A short description for help texts.
    pub summary: &'static str,
    /// The purpose of statements with the predicate.
    pub purpose: Purpose,
    /// Members that may differ between equal statements, such as times.
    pub volatile: &'static [&'static str],
    /// Parses a file that contains the predicate, and discards the result.
    pub parse: fn(&[u8]) -> Result<(), Error>,
}

impl PartialEq for Predicate {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Predicate {}

impl PartialOrd for Predicate {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Predicate {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.name.cmp(other.name)
    }
}

impl Hash for Predicate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}
