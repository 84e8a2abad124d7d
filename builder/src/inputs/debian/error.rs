//! What keeps an archive from being used, and what keeps it from being believed.

use std::io;
use std::path::PathBuf;

use content::{Digest, ReadError};

use super::signers::Fingerprint;
use crate::host::HostError;
use crate::inputs::store::StoreError;
use crate::interrupt::Interrupted;
use crate::lock::packages::{IndexError, PackageError};
use crate::lock::time::Time;

/// An archive that cannot be found, reached or believed.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The host's configuration names none.
    #[error("finding package archive: the host's apt sources name none with suite {suite}")]
    Unknown {
        /// The suite that is wanted.
        suite: String,
    },
    /// An invalid address.
    #[error("finding package archive: expected http://… or https://…, found {url:?}")]
    Address {
        /// What was given.
        url: String,
    },
    /// Nothing came.
    #[error("fetching {path} from package archive: {reason}")]
    Fetch {
        /// Which file, below the archive's root.
        path: String,
        /// Why not.
        reason: String,
    },
    /// The signed index that the archive has now cannot be used.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The archive, or this machine, has another file now than was locked.
    #[error("fetching the locked {file}: expected {expected}, found {found}")]
    Moved {
        /// Which file.
        file: &'static str,
        /// Its digest in the lock.
        expected: Digest,
        /// The digest of what is there now.
        found: Digest,
    },
    /// A file that was brought as evidence is another one than was locked.
    #[error("checking {}: {source}", path.display())]
    Evidence {
        /// Which file.
        path: PathBuf,
        /// How it differs.
        source: ReadError,
    },
    /// A package's own description is of another package.
    #[error("checking package {package}: {reason}")]
    Package {
        /// Which one.
        package: String,
        /// What is wrong.
        reason: String,
    },
    /// A file cannot be kept, or is another one than locked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the host.
    #[error("reading {}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// A break in the chain from the archive's signature to a package.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// A program of the host.
    #[error("verifying the archive's signature: {0}")]
    Host(#[from] HostError),
    /// There is no room for temporary files.
    #[error("verifying the archive's signature: writing temporary files: {0}")]
    Scratch(#[source] io::Error),
    /// The release file is not a signed message.
    #[error("parsing InRelease: {reason}")]
    Form {
        /// What is wrong.
        reason: &'static str,
    },
    /// The lock names no signer that is trusted.
    #[error("checking Image.lock: its package index is signed by {named}, not by a trusted key")]
    Untrusted {
        /// The signers that it names.
        named: String,
    },
    /// No trusted key has signed.
    #[error("verifying the archive's signature: no good signature of a trusted key: {said}")]
    Unsigned {
        /// What gpgv said.
        said: String,
    },
    /// The release file is signed otherwise than the lock says.
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
    /// The release file was not valid any more when it was locked.
    #[error("checking InRelease: valid until {until}, and locked at {time}")]
    Expired {
        /// What it says.
        until: String,
        /// The lock's date.
        time: Time,
    },
    /// The release file does not name the package list.
    #[error("reading InRelease: it does not name {file}")]
    Unnamed {
        /// The list.
        file: String,
    },
    /// The package list is another one than was signed.
    #[error("checking {file}: expected {expected}, as InRelease says, found {found}")]
    List {
        /// The list.
        file: String,
        /// The signed digest.
        expected: Digest,
        /// The digest of the list.
        found: Digest,
    },
    /// The package list cannot be unpacked.
    #[error("unpacking package list: {reason}")]
    Unpack {
        /// Why not.
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
}
