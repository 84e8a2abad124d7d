//! Why source was not compiled.

use std::fmt::Display;

use console::hint::Hinted;

use crate::at::At;
use crate::interrupt::Interrupted;
use crate::sandbox::SandboxError;

/// Source that could not be compiled. The package is named by [`crate::error::Error::Compile`].
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The source must not be built. The answer is the same on every machine.
    #[error(transparent)]
    Refused(Hinted),
    /// Something ran out, too little was staged, or cargo's answers are invalid, which says nothing about the source.
    #[error(transparent)]
    Hinted(#[from] Hinted),
    /// The build root cannot be read.
    #[error(transparent)]
    Root(#[from] At),
    /// The compiler could not be run to its end.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl CompileError {
    /// Whether this is an answer about the source, and the same on every machine.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// A hint for the user, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Refused(error) | Self::Hinted(error) => error.hint(),
            Self::Sandbox(error) => error.hint(),
            Self::Root(_) | Self::Interrupted(_) => None,
        }
    }

    pub(super) fn refused(message: impl Display, hint: &'static str) -> Self {
        Self::Refused(Hinted::new(message).hinting(hint))
    }

    pub(super) fn hinted(message: impl Display, hint: &'static str) -> Self {
        Hinted::new(message).hinting(hint).into()
    }
}
