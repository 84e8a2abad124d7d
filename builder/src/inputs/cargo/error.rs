//! Why crates cannot be obtained.

use std::path::{Path, PathBuf};

use content::Digest;

use crate::at::At;
use crate::host::HostError;
use crate::inputs::store::StoreError;
use crate::inputs::tree::TreeError;
use crate::interrupt::Interrupted;
use crate::lock::crates::{InvalidCrate, Named};
use crate::untrusted::{self, shown};

/// What helps against a crate from elsewhere than the public registry.
pub(in crate::inputs) const ELSEWHERE: &str = "use the crate of the public registry, or copy its source into the repository and name it by path";

/// A crate that cannot be locked, fetched or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum CrateError {
    /// The text is not a `Cargo.lock`.
    #[error("parsing Cargo.lock: {}", untrusted::toml(.0))]
    Lock(#[from] toml::de::Error),
    /// No registry takes this name or version.
    #[error("parsing Cargo.lock: {0}")]
    Name(#[from] InvalidCrate),
    /// The crate does not come from the public registry, or has no checksum.
    #[error(
        "reading Cargo.lock: crate {} {}: expected the public registry and a checksum, found {}",
        shown(name),
        shown(version),
        shown(found)
    )]
    Source {
        /// The name of the crate.
        name: String,
        /// Its version.
        version: String,
        /// What `Cargo.lock` says instead.
        found: String,
    },
    /// cargo cannot be run, or fails.
    #[error("fetching crates: {0}")]
    Host(#[from] HostError),
    /// The registry has another archive of this name and version.
    #[error("checking crate {named}: expected {expected}, as the registry has it, found {} in Cargo.lock", named.sha256)]
    Digest {
        /// The crate in `Cargo.lock`.
        named: Named,
        /// The digest in the registry.
        expected: Digest,
    },
    /// The registry answered that it has no crate of this name and version.
    #[error("checking crate {0}: the registry has no such crate or version")]
    Absent(Named),
    /// cargo takes the crate from elsewhere, or knows no digest of it.
    #[error("checking crate {0}: cargo knows no digest of it in the registry")]
    Unknown(Named),
    /// The answer of cargo is invalid.
    #[error("fetching crates: reading the answer of cargo metadata: {0}")]
    Metadata(#[source] serde_json::Error),
    /// cargo takes the crate from a source without archives.
    #[error("fetching crate {named}: cargo has no archive of it{}", from(folder.as_deref()))]
    NoArchive {
        /// The crate.
        named: Named,
        /// The folder where cargo has it unpacked.
        folder: Option<PathBuf>,
    },
    /// An archive cannot be kept or read, or differs from the locked one.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The archive is not that of this crate.
    #[error("unpacking crate {named}: {reason}")]
    Archive {
        /// The crate.
        named: Named,
        /// What is wrong.
        reason: String,
    },
    /// The unpacked crates cannot be read.
    #[error("checking unpacked crates: {0}")]
    Tree(#[from] TreeError),
    /// A file cannot be used.
    #[error("fetching crates: {0}")]
    At(#[from] At),
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl CrateError {
    /// Whether this is an answer about the source, and the same on every machine.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Source { .. } | Self::Digest { .. } | Self::Absent(_)
        )
    }

    /// What helps, if that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Host(error) => error.hint(),
            Self::Store(StoreError::Came { .. }) => {
                Some("remove that file from CARGO_HOME/registry/cache; it is fetched again")
            }
            Self::Store(error) => error.hint(),
            Self::Source { .. } => Some(ELSEWHERE),
            Self::Digest { .. } => Some(
                "either Cargo.lock was edited, or cargo is configured to use a registry with other crates",
            ),
            Self::Absent(_) => Some(
                "either Cargo.lock was edited, or cargo is configured to use a registry that lacks it",
            ),
            Self::Unknown(_) => Some("is the registry that cargo is configured to use complete?"),
            Self::NoArchive { .. } => Some(
                "let cargo fetch crates from a registry or a mirror of it: archives of a vendored folder or a \
                 local registry in its configuration are not used",
            ),
            _ => None,
        }
    }
}

fn from(folder: Option<&Path>) -> String {
    let place = |folder: &Path| format!(": it comes from {}", folder.display());
    folder.map_or(String::new(), place)
}
