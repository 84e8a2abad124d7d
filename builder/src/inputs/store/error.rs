//! Why the store cannot keep or give an input.

use std::io;
use std::path::{Path, PathBuf};

use content::{Digest, ReadError};

use crate::at::At;
use crate::interrupt::Interrupted;

/// An input that cannot be kept or used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder of the store cannot be used.
    #[error(transparent)]
    At(#[from] At),
    /// The store does not have the input.
    #[error("reading {what}: the store has no {digest}")]
    Absent {
        /// Kind, name and version.
        what: String,
        /// The digest of the input.
        digest: Digest,
    },
    /// The bytes that were received are another input.
    #[error("checking {what}: {source}")]
    Came {
        /// Kind, name and version.
        what: String,
        /// How they differ.
        source: ReadError,
    },
    /// The bytes in the store are another input.
    #[error("checking {what}: {source}, in {}", path.display())]
    Content {
        /// Kind, name and version.
        what: String,
        /// The file in the store.
        path: PathBuf,
        /// How they differ.
        source: ReadError,
    },
    /// A folder was changed right after it was unpacked.
    #[error("checking {what}: {} changed while it was in use", path.display())]
    Disturbed {
        /// What was unpacked.
        what: &'static str,
        /// The folder.
        path: PathBuf,
    },
    /// Another process uses the store.
    #[error("pruning store {}: another process uses it", .0.display())]
    InUse(PathBuf),
    /// Programs in the store cannot be run.
    #[error("using store {}: its file system is mounted noexec, and a build runs programs from it", .0.display())]
    NoExec(PathBuf),
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl StoreError {
    /// What helps, if that is known.
    pub fn hint(&self) -> Option<&'static str> {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        match self {
            Self::At(At { source, .. }) => match source.kind() {
                PermissionDenied | ReadOnlyFilesystem => {
                    Some("may you read and write it? --store names another store")
                }
                _ if console::hint::is_full(source) => {
                    Some("free some space, or name a store elsewhere with --store")
                }
                _ => None,
            },
            Self::Content { .. } => Some("remove that file from the store; it is fetched again"),
            Self::Disturbed { .. } => {
                Some("end the other program that writes there, and repeat the command")
            }
            Self::InUse(_) => Some("repeat the command when that process has ended"),
            Self::NoExec(_) => Some(
                "name a store on another file system with --store, or mount this one with exec",
            ),
            Self::Absent { .. } | Self::Came { .. } | Self::Interrupted(_) => None,
        }
    }

    /// What the system says about a file or folder of the store.
    pub(crate) fn at(path: &Path, source: io::Error) -> Self {
        At::doing("using store", path)(source).into()
    }
}
