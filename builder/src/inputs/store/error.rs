use std::io;
use std::path::{Path, PathBuf};

use content::{Digest, ReadError};

use crate::interrupt::Interrupted;

/// An input that cannot be kept or used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder cannot be used.
    #[error("using store {}: {source}", path.display())]
    Folder {
        /// Which file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no room left.
    #[error("writing {}: the disk is full", path.display())]
    Full {
        /// In which folder.
        path: PathBuf,
    },
    /// An input is not there.
    #[error("reading {what}: the store has no {digest}")]
    Absent {
        /// Which input.
        what: String,
        /// Its digest.
        digest: Digest,
    },
    /// What came is another input than was asked for.
    #[error("checking {what}: {source}")]
    Came {
        /// Which input.
        what: String,
        /// How it differs.
        source: ReadError,
    },
    /// What was unpacked into the store is something else at once.
    #[error("checking {what}: somebody changes {}", path.display())]
    Disturbed {
        /// What was unpacked.
        what: &'static str,
        /// Where.
        path: PathBuf,
    },
    /// Another process uses the store.
    #[error("pruning store {}: another process uses it", path.display())]
    InUse {
        /// Which store.
        path: PathBuf,
    },
    /// Programs in the store cannot be run.
    #[error("using store {}: its file system is mounted noexec, and a build runs programs from it", path.display())]
    NoExec {
        /// Which store.
        path: PathBuf,
    },
    /// Somebody wanted it to end.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// What is in the store is no longer what was put there.
    #[error("checking {what}: {source}, in {}", path.display())]
    Content {
        /// Which input.
        what: String,
        /// Its file.
        path: PathBuf,
        /// How it differs.
        source: ReadError,
    },
}

impl StoreError {
    /// What helps, if we know.
    pub fn hint(&self) -> Option<&'static str> {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        match self {
            Self::Full { .. } => Some("free some space, or name a store elsewhere with --store"),
            Self::Folder { source, .. }
                if matches!(source.kind(), PermissionDenied | ReadOnlyFilesystem) =>
            {
                Some("is it yours to read and to write? --store names another store")
            }
            Self::Content { .. } => Some("remove that file from the store; it is fetched again"),
            Self::Disturbed { .. } => Some("end who else writes there, and repeat the command"),
            Self::InUse { .. } => Some("repeat the command when that process has ended"),
            Self::NoExec { .. } => Some(
                "name a store on another file system with --store, or mount this one with exec",
            ),
            Self::Folder { .. }
            | Self::Absent { .. }
            | Self::Came { .. }
            | Self::Interrupted(_) => None,
        }
    }

    /// What the system said about `path`, told apart.
    pub(crate) fn at(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match is_full(&source) {
            true => Self::Full { path },
            false => Self::Folder { path, source },
        }
    }
}

/// Whether there is no room left, on the disk or for this user.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}
