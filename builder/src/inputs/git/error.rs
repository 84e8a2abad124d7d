//! Why a source cannot be staged.

use std::fmt::Display;
use std::io;
use std::path::Path;

use console::hint::Hinted;

use crate::at::At;
use crate::host::HostError;

/// A source that cannot be staged.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It must not be built. The answer is the same on every machine.
    #[error(transparent)]
    Refused(Hinted),
    /// It is not committed, incomplete or too large, or git fails.
    #[error(transparent)]
    Hinted(#[from] Hinted),
    /// A file of the working tree cannot be read, or a file cannot be staged.
    #[error(transparent)]
    At(#[from] At),
}

impl SourceError {
    /// Whether this is an answer about the source, and the same on every machine.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// A hint for the user, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Refused(error) | Self::Hinted(error) => error.hint(),
            Self::At(_) => None,
        }
    }

    pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> Self {
        let at = At::doing("staging", path);
        move |source| at(source).into()
    }
}

impl From<HostError> for SourceError {
    fn from(error: HostError) -> Self {
        error.doing("reading source").into()
    }
}

pub(super) const UNCOMMITTED: &str = "the last commit is built: commit the source first";
const DAMAGED: &str =
    "the repository is incomplete or damaged, see `git fsck`; build in a new clone";
const LARGE: &str = "check the directory, and what it contains";

pub(super) fn reading(fault: impl Display) -> Hinted {
    Hinted::new(format_args!("reading source: {fault}"))
}

/// The source is larger than a limit.
pub(super) fn large(fault: impl Display) -> SourceError {
    reading(fault).hinting(LARGE).into()
}

/// git's object folder is incomplete, or has other content than the names of objects say.
pub(super) fn damaged(fault: impl Display) -> SourceError {
    reading(fault).hinting(DAMAGED).into()
}

/// The answer of git is invalid.
pub(super) fn answer(found: impl Display) -> SourceError {
    let found = crate::untrusted::shown(&found.to_string());
    reading(format_args!("unexpected output of git: \"{found}\"")).into()
}

/// A path leads out of the source, or into git's own folder.
pub(super) fn not_plain(path: &str) -> SourceError {
    let path = crate::untrusted::shown(path);
    SourceError::Refused(reading(format_args!(
        "\"{path}\" in the commit is not a plain path below its repository"
    )))
}
