//! Why crates cannot be obtained.

use std::fmt::Display;

use console::hint::Hinted;

use crate::at::At;
use crate::host::HostError;
use crate::inputs::git::SourceError;
use crate::inputs::store::StoreError;
use crate::inputs::tree::TreeError;
use crate::interrupt::Interrupted;

/// The hint for a crate from another registry.
pub(in crate::inputs) const ELSEWHERE: &str = "use the crate of the public registry or of a git repository (https, ssh), or \
                                               copy its source into the repository as a path dependency";

/// A crate that cannot be locked, fetched or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum CrateError {
    /// `Cargo.lock` names a crate that the public registry does not have. The answer is the same on every machine.
    #[error(transparent)]
    Refused(Hinted),
    /// cargo cannot be run, or fails.
    #[error("fetching crates: {0}")]
    Host(#[from] HostError),
    /// `Cargo.lock` or an archive is invalid, cargo has no archive, or a file cannot be used.
    #[error(transparent)]
    Hinted(#[from] Hinted),
    /// An archive cannot be kept or read, or differs from the locked one.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl CrateError {
    /// Whether this is an answer about the source, and the same on every machine.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// A hint for the user, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Refused(error) | Self::Hinted(error) => error.hint(),
            Self::Host(error) => error.hint(),
            Self::Store(StoreError::Came { .. }) => {
                Some("remove that file from CARGO_HOME/registry/cache; it is fetched again")
            }
            Self::Store(error) => error.hint(),
            Self::Interrupted(_) => None,
        }
    }

    /// The same error, with what was done.
    pub(in crate::inputs) fn during(self, doing: impl Display) -> Self {
        match self {
            Self::Refused(error) => Self::Refused(error.during(doing)),
            Self::Hinted(error) => Self::Hinted(error.during(doing)),
            other => other,
        }
    }

    pub(in crate::inputs) fn refused(message: impl Display, hint: &'static str) -> Self {
        Self::Refused(Hinted::new(message).hinting(hint))
    }
}

impl From<At> for CrateError {
    fn from(at: At) -> Self {
        Hinted::doing("fetching crates", at).into()
    }
}

impl From<SourceError> for CrateError {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Refused(error) => Self::Refused(error),
            SourceError::Hinted(error) => Self::Hinted(error),
            SourceError::At(error) => error.into(),
        }
    }
}

impl From<TreeError> for CrateError {
    fn from(error: TreeError) -> Self {
        Hinted::doing("checking unpacked crates", error).into()
    }
}
