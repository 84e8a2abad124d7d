//! The signed package index that a lock names, from what is published with the image: an archive serves
//! today's only. The builder verifies it; here it is found by digest and nothing else.

use std::path::{Path, PathBuf};

use content::{Digest, limits};
use oci::Descriptor;
use remote::Registry;
use serde::Deserialize;

use super::{Progress, RebuildError};

/// The builder's name for its lock.
const LOCK: &str = "Image.lock";
/// Bytes of one file of an index; the package list is the largest, and Debian's has 10 MB.
const FILE: u64 = 64 << 20;
/// The names by which the builder takes the files.
const NAMES: [&str; 3] = ["InRelease", "Packages.xz", "keyring.gpg"];

/// Where the files of an index may be fetched from.
pub struct Attached<'a> {
    /// The registry of the image.
    pub registry: &'a Registry,
    /// Files that are published as parts of package indices; anyone may have published them.
    pub files: Vec<Descriptor>,
}

/// What is read of a lock; the rest of it is the builder's.
#[derive(Deserialize)]
struct Lock {
    index: Index,
}

#[derive(Deserialize)]
struct Index {
    release: File,
    packages: File,
    keyring: File,
}

#[derive(Deserialize)]
struct File {
    sha256: Digest,
    size: u64,
}

/// Fetches those files that the lock in `directory` names into `folder`, which is made. Those that are not
/// published are left to the builder: its store or the archive may have them.
///
/// # Errors
/// The registry does not answer, or `folder` cannot be written.
pub(super) async fn fetch(
    attached: &Attached<'_>,
    directory: &Path,
    folder: PathBuf,
    progress: Progress<'_>,
) -> Result<Option<PathBuf>, RebuildError> {
    let Some(index) = locked(directory) else {
        return Ok(None);
    };
    let unwritten = |source| RebuildError::Write {
        path: folder.clone(),
        source,
    };
    std::fs::create_dir(&folder).map_err(unwritten)?;
    let wanted = [index.release, index.packages, index.keyring];
    for (name, wanted) in NAMES.iter().zip(wanted) {
        let Some(found) = attached.files.iter().find(|file| wanted.is(file)) else {
            progress(&format!("the image has no referrer with the locked {name}"));
            continue;
        };
        if let Some(bytes) = blob(attached.registry, found, name, progress).await? {
            std::fs::write(folder.join(name), bytes).map_err(unwritten)?;
        }
    }
    Ok(Some(folder))
}

impl File {
    fn is(&self, file: &Descriptor) -> bool {
        file.digest == self.sha256 && file.size == self.size && file.size <= FILE
    }
}

/// A blob; `None` if the registry does not have what its manifest names, or has other bytes. No answer is
/// not absence.
async fn blob(
    registry: &Registry,
    file: &Descriptor,
    name: &str,
    progress: Progress<'_>,
) -> Result<Option<Vec<u8>>, RebuildError> {
    match registry.blob(file, FILE).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(
            error @ (remote::Error::NotFound { .. }
            | remote::Error::DigestMismatch { .. }
            | remote::Error::SizeMismatch { .. }),
        ) => {
            progress(&format!("fetching {name}: {error}"));
            Ok(None)
        }
        Err(source) => Err(RebuildError::Index {
            name: name.to_owned(),
            source: Box::new(source),
        }),
    }
}

/// What the lock names. A lock that cannot be read is the builder's to refuse.
fn locked(directory: &Path) -> Option<Index> {
    let file = content::open_regular(&directory.join(LOCK)).ok()?;
    let bytes = content::read_limited(file, limits::DOCUMENT).ok()?;
    let lock: Lock = content::toml::parse(&bytes).ok()?;
    Some(lock.index)
}
