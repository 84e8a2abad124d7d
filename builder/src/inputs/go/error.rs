//! Why modules of Go cannot be obtained.

use std::fmt::Display;

use console::hint::Hinted;

use crate::at::At;
use crate::host::HostError;
use crate::inputs::store::StoreError;
use crate::inputs::tree::TreeError;
use crate::interrupt::Interrupted;

/// A module that cannot be locked, fetched or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    /// The source names a module with another hash than the proxy has. The answer is the same on every machine.
    #[error(transparent)]
    Refused(Hinted),
    /// go cannot be run, or fails.
    #[error("fetching modules: {0}")]
    Host(#[from] HostError),
    /// `go.mod`, `go.sum` or an archive is invalid, no proxy has a module, or a file cannot be used.
    #[error(transparent)]
    Hinted(#[from] Hinted),
    /// A module cannot be kept or read, or differs from the locked one.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl ModuleError {
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
            Self::Interrupted(_) => None,
        }
    }

    pub(super) fn refused(message: impl Display, hint: &'static str) -> Self {
        Self::Refused(Hinted::new(message).hinting(hint))
    }
}

impl From<At> for ModuleError {
    fn from(at: At) -> Self {
        Hinted::doing("fetching modules", at).into()
    }
}

impl From<TreeError> for ModuleError {
    fn from(error: TreeError) -> Self {
        Hinted::doing("checking unpacked toolchain", error).into()
    }
}
