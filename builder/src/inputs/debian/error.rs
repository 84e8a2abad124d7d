//! Why packages cannot be obtained or verified.

use std::fmt::Display;
use std::io;

use console::hint::Hinted;

use crate::at::At;
use crate::host::HostError;
use crate::inputs::store::StoreError;
use crate::interrupt::Interrupted;

/// The hint if an archive is missing, or has other packages.
pub(super) const ANOTHER: &str = "name a package archive with --archive or COUNTERSIGN_ARCHIVE";

/// Packages that cannot be obtained.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A file cannot be downloaded.
    #[error("fetching {path} from package archive: {reason}")]
    Fetch {
        /// The path below the archive's address.
        path: String,
        /// What the last of several tries gave.
        reason: String,
    },
    /// The index that the archive has now cannot be verified.
    #[error(transparent)]
    Served(#[from] ChainError),
    /// The archive has not signed what a lock names.
    #[error(transparent)]
    Locked(ChainError),
    /// No archive is known, or a file differs from the locked one.
    #[error(transparent)]
    Hinted(#[from] Hinted),
    /// A file cannot be kept, or differs from the locked one.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of this machine cannot be read.
    #[error(transparent)]
    At(#[from] At),
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl ArchiveError {
    /// Whether this is an answer about the source: its lock names what the archive has not signed.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Locked(error) if error.is_about_lock())
    }

    /// A hint for the user, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Served(ChainError::Unsigned { .. }) => Some(
                "a private archive needs both: --keyring with its keys, and --archive-key with the \
                 fingerprint of the key or subkey that signs",
            ),
            Self::Served(error) | Self::Locked(error) => error.hint(),
            Self::Hinted(error) => error.hint(),
            Self::Store(StoreError::Came { .. }) => Some(
                "the archive has another package than was locked: name another archive with --archive",
            ),
            Self::Store(error) => error.hint(),
            Self::Fetch { .. } => Some(
                "is there a network? another package archive can be named with --archive or COUNTERSIGN_ARCHIVE",
            ),
            Self::At(_) | Self::Interrupted(_) => None,
        }
    }
}

/// A break in the chain from the archive's signature to a package.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// gpgv cannot be run, which says nothing about the lock.
    #[error(transparent)]
    Machine(Hinted),
    /// No trusted key has signed.
    #[error("verifying the archive's signature: no good signature of a trusted key: {said}")]
    Unsigned {
        /// What gpgv says.
        said: String,
    },
    /// A signature, a file or a package is not what it should be.
    #[error(transparent)]
    Broken(#[from] Hinted),
}

impl ChainError {
    /// Whether this says something about the lock, and not only about this machine.
    pub fn is_about_lock(&self) -> bool {
        !matches!(self, Self::Machine(_))
    }

    /// A hint for the user, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Machine(error) | Self::Broken(error) => error.hint(),
            Self::Unsigned { .. } => Some(OWN_KEY),
        }
    }

    /// Temporary files cannot be written.
    pub(super) fn scratch(source: io::Error) -> Self {
        let doing = "verifying the archive's signature: writing temporary files";
        Self::Machine(Hinted::doing(doing, source))
    }

    pub(super) fn broken(message: impl Display) -> Self {
        Self::Broken(Hinted::new(message))
    }

    pub(super) fn untrusted(named: &str) -> Self {
        let untrusted = Hinted::new(format_args!(
            "checking Image.lock: its package index is signed by {named}, not by a trusted key"
        ));
        Self::Broken(untrusted.hinting(OWN_KEY))
    }
}

impl From<HostError> for ChainError {
    fn from(error: HostError) -> Self {
        Self::Machine(error.doing("verifying the archive's signature"))
    }
}

const OWN_KEY: &str =
    "name a private archive's key with --archive-key, if you trust it as you trust Debian's";
