//! What can be wrong with crates.

use std::io;
use std::path::{Path, PathBuf};

use content::Digest;

use crate::host::HostError;
use crate::inputs::store::StoreError;
use crate::inputs::tree::TreeError;
use crate::interrupt::Interrupted;
use crate::lock::crates::InvalidCrate;
use crate::lock::crates::Named;
use crate::told::{self, shown};

/// A crate that cannot be locked, fetched or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum CrateError {
    /// Not a `Cargo.lock`.
    #[error("parsing Cargo.lock: {}", told::toml(.0))]
    Lock(#[from] toml::de::Error),
    /// A name or a version that no registry has.
    #[error("parsing Cargo.lock: {0}")]
    Name(#[from] InvalidCrate),
    /// A crate that does not come from the public registry, or has no checksum.
    #[error(
        "reading Cargo.lock: crate {} {}: expected the public registry and a checksum, found {}",
        shown(name),
        shown(version),
        shown(found)
    )]
    Source {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
        /// What it has instead.
        found: String,
    },
    /// cargo.
    #[error("fetching crates: {0}")]
    Host(#[from] HostError),
    /// The registry has another archive under this name.
    #[error("checking crate {named}: expected {expected}, as the registry has it, found {} in Cargo.lock", named.sha256)]
    Digest {
        /// Which one.
        named: Named,
        /// The digest in the registry.
        expected: Digest,
    },
    /// cargo takes this crate from elsewhere, or has no digest of it.
    #[error("checking crate {named}: cargo knows no digest of it in the registry")]
    Unknown {
        /// Which one.
        named: Named,
    },
    /// What cargo says about crates cannot be read.
    #[error("fetching crates: reading the answer of cargo metadata: {0}")]
    Metadata(#[source] serde_json::Error),
    /// cargo takes crates from where they are unpacked.
    #[error("fetching crate {named}: cargo has no archive of it{}", from(folder.as_deref()))]
    NoArchive {
        /// Which one.
        named: Named,
        /// Where cargo has unpacked it.
        folder: Option<PathBuf>,
    },
    /// The store, or an archive that is another one.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An archive that does not unpack to what a crate is.
    #[error("unpacking crate {named}: {reason}")]
    Archive {
        /// Which one.
        named: Named,
        /// What is wrong.
        reason: String,
    },
    /// What was unpacked.
    #[error("checking unpacked crates: {0}")]
    Tree(#[from] TreeError),
    /// A file.
    #[error("using {}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Somebody wanted it to end.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl CrateError {
    /// Whether this is an answer about the source, and the same for everyone.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Source { .. } | Self::Digest { .. })
    }
}

fn from(folder: Option<&Path>) -> String {
    let place = |folder: &Path| format!(": it comes from {}", folder.display());
    folder.map_or(String::new(), place)
}
