//! Why a dependency of the source cannot be obtained: a crate, a module of Go or a wheel.

use std::fmt::Display;

use console::hint::Hinted;

use crate::at::At;
use crate::host::HostError;
use crate::inputs::git::SourceError;
use crate::inputs::store::StoreError;
use crate::inputs::tree::TreeError;
use crate::interrupt::Interrupted;

/// A dependency that cannot be locked, fetched or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum DependencyError {
    /// The source names a dependency that its registry, proxy or index does not have, or has with another digest. The answer is the
    /// same on every machine.
    #[error(transparent)]
    Refused(Hinted),
    /// A program of the host that knows how to fetch it cannot be run, or fails.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A lock file or an archive is invalid, or the network gives no answer.
    #[error(transparent)]
    Hinted(#[from] Hinted),
    /// A file of this machine cannot be used.
    #[error(transparent)]
    At(#[from] At),
    /// An archive cannot be kept or read, or differs from the locked one.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl DependencyError {
    /// Whether this is an answer about the source, and the same on every machine.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// A hint for the user, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Refused(error) | Self::Hinted(error) => error.hint(),
            Self::Host(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::At(_) | Self::Interrupted(_) => None,
        }
    }

    /// The same error, with what was done.
    pub(super) fn during(self, doing: impl Display) -> Self {
        match self {
            Self::Refused(error) => Self::Refused(error.during(doing)),
            Self::Hinted(error) => Self::Hinted(error.during(doing)),
            other => other,
        }
    }

    pub(super) fn refused(message: impl Display, hint: &'static str) -> Self {
        Self::Refused(Hinted::new(message).hinting(hint))
    }
}

impl From<SourceError> for DependencyError {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Refused(error) => Self::Refused(error),
            SourceError::Hinted(error) => Self::Hinted(error),
            SourceError::At(error) => Self::At(error),
        }
    }
}

impl From<TreeError> for DependencyError {
    fn from(error: TreeError) -> Self {
        Hinted::doing("checking unpacked files", error).into()
    }
}
