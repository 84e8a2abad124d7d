//! Why packages cannot be obtained or verified.

use std::io;
use std::path::PathBuf;

use content::{Digest, ReadError};

use super::index::IndexError;
use super::listed::PackageError;
use crate::at::At;
use crate::host::HostError;
use crate::inputs::store::StoreError;
use crate::interrupt::Interrupted;
use crate::lock::signature::Fingerprint;
use crate::lock::time::Time;

/// Packages that cannot be obtained.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The host's configuration names no suitable archive.
    #[error("finding package archive: the host's apt sources name none with suite {suite}")]
    Unknown {
        /// The suite that is wanted.
        suite: String,
    },
    /// The address of the archive is invalid.
    #[error("finding package archive: expected http://… or https://…, found {url:?}")]
    Address {
        /// The address.
        url: String,
    },
    /// The HTTP client cannot be built.
    #[error("connecting to package archive: {0}")]
    Client(String),
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
    /// The archive, or this machine, now has another file than was locked.
    #[error("fetching the locked {file}: expected {expected}, found {found}")]
    Moved {
        /// The name of the file.
        file: &'static str,
        /// The digest in the lock.
        expected: Digest,
        /// The digest of the file.
        found: Digest,
    },
    /// A file of `--evidence` differs from the locked one.
    #[error("checking {}: {source}", path.display())]
    Evidence {
        /// The file.
        path: PathBuf,
        /// How it differs.
        source: ReadError,
    },
    /// A package describes itself as another package.
    #[error("checking package {package}: {reason}")]
    Package {
        /// The name in the lock.
        package: String,
        /// What is wrong.
        reason: String,
    },
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

    /// What helps, if that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Served(ChainError::Unsigned { .. }) => Some(
                "a private archive needs both: --keyring with its keys, and --archive-key with the \
                 fingerprint of the key or subkey that signs",
            ),
            Self::Served(error) | Self::Locked(error) => error.hint(),
            Self::Moved { .. } => Some(
                "the archive serves another index by now: the locked one is published with the image, \
                 see --evidence; or run `builder lock` again",
            ),
            Self::Evidence { .. } => Some(
                "--evidence takes the directory `evidence` of a layout that was built from this lock",
            ),
            Self::Store(StoreError::Came { .. }) => Some(
                "the archive has another package than was locked: name another archive with --archive",
            ),
            Self::Store(error) => error.hint(),
            Self::Fetch { .. } => Some(
                "is there a network? another package archive can be named with --archive or COUNTERSIGN_ARCHIVE",
            ),
            Self::Client(_) => Some(
                "HTTPS needs certificate authorities: install ca-certificates, or name them with SSL_CERT_FILE",
            ),
            Self::Address { .. } => Some("it is the address above dists/ and pool/"),
            Self::Unknown { .. } | Self::Package { .. } => {
                Some("name a package archive with --archive or COUNTERSIGN_ARCHIVE")
            }
            Self::At(_) | Self::Interrupted(_) => None,
        }
    }
}

/// A break in the chain from the archive's signature to a package.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// gpgv cannot be run.
    #[error("verifying the archive's signature: {0}")]
    Host(#[from] HostError),
    /// Temporary files cannot be written.
    #[error("verifying the archive's signature: writing temporary files: {0}")]
    Scratch(#[source] io::Error),
    /// The release file is not a signed message.
    #[error("parsing InRelease: {reason}")]
    Form {
        /// What is wrong.
        reason: &'static str,
    },
    /// The lock names no trusted signer.
    #[error("checking Image.lock: its package index is signed by {named}, not by a trusted key")]
    Untrusted {
        /// The signers that it names.
        named: String,
    },
    /// No trusted key has signed.
    #[error("verifying the archive's signature: no good signature of a trusted key: {said}")]
    Unsigned {
        /// What gpgv says.
        said: String,
    },
    /// The release file has other signatures than the lock names.
    #[error(
        "checking Image.lock: expected InRelease to be signed by {key} at {time}, found other \
         signatures only"
    )]
    Signature {
        /// A trusted signer that the lock names.
        key: Fingerprint,
        /// When it signed, as the lock says.
        time: Time,
    },
    /// The release file is another suite's.
    #[error("checking InRelease: expected suite {expected}, found {found}")]
    Suite {
        /// The suite that is wanted.
        expected: String,
        /// What the release file says.
        found: String,
    },
    /// The release file had expired when it was locked.
    #[error("checking InRelease: it was valid until {until}, and was locked at {time}")]
    Expired {
        /// The end of its validity, as it says.
        until: String,
        /// The date in the lock.
        time: Time,
    },
    /// The release file does not name the package list.
    #[error("reading InRelease: it does not name {file}")]
    Unnamed {
        /// The name of the list.
        file: String,
    },
    /// The archive has signed another package list.
    #[error("checking {file}: expected {expected}, as InRelease says, found {found}")]
    List {
        /// The name of the list.
        file: String,
        /// The signed digest.
        expected: Digest,
        /// The digest of the list.
        found: Digest,
    },
    /// The package list cannot be unpacked.
    #[error("unpacking package list: {reason}")]
    Unpack {
        /// What is wrong.
        reason: String,
    },
    /// The package list cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A locked package cannot be found in the package list.
    #[error(transparent)]
    Package(#[from] PackageError),
}

impl ChainError {
    /// Whether this says something about the lock, and not only about this machine.
    pub fn is_about_lock(&self) -> bool {
        !matches!(self, Self::Host(_) | Self::Scratch(_))
    }
    /// What helps, if that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Host(error) => error.hint(),
            Self::Untrusted { .. } | Self::Unsigned { .. } => Some(
                "name a private archive's key with --archive-key, if you trust it as you trust Debian's",
            ),
            Self::Package(_) => {
                Some("was the lock edited? `builder lock` writes what the archive has signed")
            }
            _ => None,
        }
    }
}
