//! Why the store cannot keep or give an input.

use std::io;
use std::path::{Path, PathBuf};

use console::hint::Hinted;
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
    /// Another process uses the store or changes it, or its programs cannot be run.
    #[error(transparent)]
    Hinted(#[from] Hinted),
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl StoreError {
    /// A hint for the user, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        match self {
            Self::At(At { source, .. }) => match source.kind() {
                PermissionDenied | ReadOnlyFilesystem => {
                    Some("check the permissions, or name another store with --store")
                }
                _ if console::hint::is_full(source) => {
                    Some("free some space, or name a store elsewhere with --store")
                }
                _ => None,
            },
            Self::Content { .. } => Some("remove that file from the store; it is fetched again"),
            Self::Hinted(error) => error.hint(),
            Self::Absent { .. } | Self::Came { .. } | Self::Interrupted(_) => None,
        }
    }

    /// What the system says about a file or folder of the store.
    pub(crate) fn at(path: &Path, source: io::Error) -> Self {
        At::doing("using store", path)(source).into()
    }

    /// A folder was changed right after it was unpacked.
    pub(in crate::inputs) fn disturbed(what: &str, path: &Path) -> Self {
        let path = path.display();
        let disturbed = format_args!("checking {what}: {path} changed while it was in use");
        Hinted::new(disturbed)
            .hinting("stop the other program that writes to the store, and repeat the command")
            .into()
    }
}
