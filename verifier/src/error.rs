//! What prevents a verdict, and what the user can do about it.

use std::fmt::Display;
use std::path::PathBuf;

use console::at::At;
use console::hint::{self, Hinted};

use crate::policy::InvalidPolicy;
use crate::rebuild::RebuildError;
use grant::InvalidGrant;

/// A verdict could not be reached. It says nothing about the image itself: that would be a finding.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error(transparent)]
    At(#[from] At),
    /// The policy is invalid.
    #[error("{}: {source}", path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// The error of the parser.
        source: InvalidPolicy,
    },
    /// The grant is invalid.
    #[error("{}: {source}", path.display())]
    Grant {
        /// The file.
        path: PathBuf,
        /// The error of the parser.
        source: InvalidGrant,
    },
    /// The registry does not have the image or the tag.
    #[error("fetching {reference}: not found in the registry")]
    Absent {
        /// The reference.
        reference: String,
    },
    /// The command cannot be carried out with these arguments, or on this machine.
    #[error(transparent)]
    Hinted(#[from] Hinted),
    /// The rebuild could not be carried out.
    #[error("rebuilding: {0}")]
    Rebuild(#[from] RebuildError),
    /// Signing failed, or publishing a signature.
    #[error("signing: {0}")]
    Signer(#[source] Box<signer::Error>),
    /// A signal came.
    #[error("interrupted")]
    Interrupted,
}

impl From<signer::Error> for Error {
    fn from(error: signer::Error) -> Self {
        Self::Signer(Box::new(error))
    }
}

impl Error {
    /// The error `{doing}: {self}`, with the same hint.
    #[must_use]
    pub fn during(self, doing: impl Display) -> Self {
        let hint = self.hint();
        let error = match self {
            Self::Hinted(error) => return Self::Hinted(error.during(doing)),
            other => Hinted::doing(doing, other),
        };
        Self::Hinted(match hint {
            Some(hint) => error.hinting(hint),
            None => error,
        })
    }

    /// Whether the message has lines of the user's own file in it: an excerpt of its parser.
    pub fn quotes_a_file(&self) -> bool {
        matches!(self, Self::Policy { .. } | Self::Grant { .. })
    }

    /// What the user can do, on one line.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Policy { .. } => "policies/release.toml is an example with every entry explained",
            Self::Grant { .. } => grant::EXAMPLE,
            Self::Absent { .. } => "check that it was pushed, and to this repository",
            Self::At(at) => hint::of_file(&at.source),
            Self::Hinted(error) => return error.hint(),
            Self::Rebuild(error) => return error.hint(),
            Self::Signer(error) => error.hint().unwrap_or_else(|| hint::of_file(&**error)),
            Self::Interrupted => return None,
        })
    }
}
