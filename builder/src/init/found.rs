//! What was found in a directory, and what could not be found out.

use std::fmt;

use super::configured::{Configured, Left};

/// A program of the user's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Found {
    /// How it is made.
    pub(super) build: Build,
    /// The command that starts it.
    pub(super) start: Vec<String>,
    /// Its files in the image, by path.
    pub(super) files: Vec<(String, Content)>,
    /// What is left to the user in `Image.toml`, by entry.
    pub(super) open: Vec<Left>,
}

/// How a program is made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Build {
    /// By cargo.
    Cargo {
        /// The package.
        package: String,
        /// Features that the program requires.
        features: Vec<String>,
        /// Entries that have the effect of configuration in the source.
        configured: Configured,
        /// Debian packages that its crates need.
        packages: Vec<&'static str>,
    },
    /// By Go.
    Go {
        /// The folder of the program, as an argument of `go build`.
        package: String,
        /// The release of Go, if `go.mod` names none that there is a module of.
        version: Option<&'static str>,
    },
    /// Not at all: an interpreter runs it.
    Interpreted {
        /// The Debian packages that the image needs.
        packages: Vec<&'static str>,
        /// The file that names Python packages with their digests.
        requirements: Option<&'static str>,
    },
}

/// What a file of the image has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Content {
    /// A compiled program.
    Binary(String),
    /// A file of the source.
    Source(String),
    /// A folder of the source.
    Tree(String),
}

/// Something that could not be found out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Open {
    /// The file.
    pub file: &'static str,
    /// The entry.
    pub entry: String,
    /// What the user has to do.
    pub what: String,
}

impl Open {
    pub(super) fn new(file: &'static str, entry: &str, what: &str) -> Self {
        Self {
            file,
            entry: entry.to_owned(),
            what: what.to_owned(),
        }
    }
}

impl fmt::Display for Open {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, entry, what } = self;
        write!(out, "{file}: {entry}: {what}")
    }
}
