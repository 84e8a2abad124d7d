//! Why packages cannot be obtained or verified.

use std::fmt::Display;
use std::io;

use console::hint::Hinted;

use super::download::Fault;
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
    #[error("fetching {path} from package archive: {fault}")]
    Fetch {
        /// The path below the archive's address.
        path: String,
        /// Why the last of several tries failed.
        fault: Fault,
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

    /// Whether the archive answered that it does not have the file.
    pub(super) fn is_absence(&self) -> bool {
        matches!(self, Self::Fetch { fault, .. } if fault.is_absence())
    }

    /// A hint for the user, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Served(ChainError::Unsigned { .. }) => Some(
                "a private archive needs both --keyring, with its keys, and --archive-key, with the \
                 fingerprint of the key or subkey that signs",
            ),
            Self::Served(error) | Self::Locked(error) => error.hint(),
            Self::Hinted(error) => error.hint(),
            Self::Store(StoreError::Came { .. }) => {
                Some("the package differs from the locked one: name another archive with --archive")
            }
            Self::Store(error) => error.hint(),
            Self::Fetch { path, fault } => Some(unfetched(path, fault)),
            Self::At(_) | Self::Interrupted(_) => None,
        }
    }
}

/// The hint if the archive does not give the file at `path`.
fn unfetched(path: &str, fault: &Fault) -> &'static str {
    match fault {
        _ if fault.is_absence() && path.starts_with("dists/") => {
            "check the address of the package archive, and the suite in Image.toml"
        }
        _ if fault.is_absence() => {
            "the archive has moved on and no longer has this file: pass a --capsule that was made with this lock, a --store that has \
             the locked packages, or an --archive that keeps old ones; or run `builder lock` again. `builder capsule` keeps all \
             inputs of a lock"
        }
        Fault::Status(_) => {
            "the archive refuses or fails: try again later, or name another with --archive or COUNTERSIGN_ARCHIVE"
        }
        Fault::Answer(_) => {
            "check the network, or name another archive with --archive or COUNTERSIGN_ARCHIVE"
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
    #[error("verifying the archive's signature: no valid signature by a trusted key: {said}")]
    Unsigned {
        /// What gpgv says.
        said: String,
    },
    /// A signature, a file or a package is not what it should be.
    #[error(transparent)]
    Broken(Hinted),
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
            "checking Image.lock: its package index is signed by {named}, which is not trusted"
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_is_about_the_network_only_without_an_answer() {
        let hint = |path: &str, fault: Fault| unfetched(path, &fault);
        let index = "dists/bookworm/InRelease";
        let package = "pool/main/a/a_1_amd64.deb";
        assert!(hint(index, Fault::Answer(String::new())).contains("network"));
        assert!(hint(index, Fault::Status(404)).contains("the suite in Image.toml"));
        let gone = hint(package, Fault::Status(404));
        assert!(
            gone.contains("pass a --capsule") && gone.contains("run `builder lock` again"),
            "{gone}"
        );
        assert!(hint(package, Fault::Status(503)).contains("try again later"));
    }
}
