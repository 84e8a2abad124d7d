//! Why wheels cannot be obtained.

use std::fmt::Display;

use console::hint::Hinted;

use crate::at::At;
use crate::host::HostError;
use crate::inputs::store::StoreError;
use crate::interrupt::Interrupted;

/// A wheel that cannot be locked, fetched or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum WheelError {
    /// The source names a wheel with another digest than the index has, or the index does not have it. The answer is the same on
    /// every machine.
    #[error(transparent)]
    Refused(Hinted),
    /// pip cannot be run, or fails.
    #[error("finding the package index: {0}")]
    Host(#[from] HostError),
    /// A requirement cannot be met, the index cannot be reached, or a wheel is invalid.
    #[error(transparent)]
    Hinted(#[from] Hinted),
    /// A wheel cannot be kept or read, or differs from the locked one.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl WheelError {
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

impl From<At> for WheelError {
    fn from(at: At) -> Self {
        Hinted::doing("unpacking wheels", at).into()
    }
}
