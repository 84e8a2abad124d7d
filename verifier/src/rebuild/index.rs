//! Fetches the signed package index that a lock names from the referrers of the image, because an archive serves only its
//! newest index. Its files are found by digest here, and verified by the builder.

use std::path::{Path, PathBuf};

use console::at::At;
use content::{Digest, limits};
use oci::Descriptor;
use serde::Deserialize;

use super::{Progress, RebuildError};
use crate::place::{Place, Unfetched};

/// The builder's name for its lock.
const LOCK: &str = "Image.lock";
/// Maximum size of one file of an index, in bytes. The package list is the largest: Debian's has 10 MB.
const FILE: u64 = 64 << 20;
/// The names of the files for the builder.
const NAMES: [&str; 3] = ["InRelease", "Packages.xz", "keyring.gpg"];

/// Where the files of an index are fetched from.
pub struct Attached<'a> {
    /// Where the image is.
    pub place: Place<'a>,
    /// Files that are published as parts of package indexes. They are untrusted.
    pub files: Vec<Descriptor>,
}

/// The fields of a lock that are read here.
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

/// Fetches the files that the lock in `directory` names into the new folder `folder`. The builder looks for files
/// that are not published in its store and in the archive.
///
/// # Errors
/// The place does not answer, or `folder` cannot be written.
pub(super) async fn fetch(
    attached: &Attached<'_>,
    directory: &Path,
    folder: PathBuf,
    progress: Progress<'_>,
) -> Result<Option<PathBuf>, RebuildError> {
    let Some(index) = locked(directory) else {
        return Ok(None);
    };
    let unwritten = At::writing(&folder);
    std::fs::create_dir(&folder).map_err(&unwritten)?;
    let wanted = [index.release, index.packages, index.keyring];
    for (name, wanted) in NAMES.into_iter().zip(wanted) {
        let Some(found) = attached.files.iter().find(|file| wanted.is(file)) else {
            progress(&format!("the image has no referrer with the locked {name}"));
            continue;
        };
        if let Some(bytes) = blob(attached.place, found, name, progress).await? {
            std::fs::write(folder.join(name), bytes).map_err(&unwritten)?;
        }
    }
    Ok(Some(folder.clone()))
}

impl File {
    fn is(&self, file: &Descriptor) -> bool {
        file.digest == self.sha256 && file.size == self.size && file.size <= FILE
    }
}

/// Fetches a blob; `None` if the place does not have it, or has other bytes.
async fn blob(
    place: Place<'_>,
    file: &Descriptor,
    name: &'static str,
    progress: Progress<'_>,
) -> Result<Option<Vec<u8>>, RebuildError> {
    match place.blob(file, FILE).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Unfetched::Absent(_)) => {
            progress(&format!("fetching {name}: it is listed but does not exist"));
            Ok(None)
        }
        Err(Unfetched::Damaged(other)) => {
            let (expected, found) = (&other.expected, &other.found);
            progress(&format!(
                "fetching {name}: expected {expected}, found {found}"
            ));
            Ok(None)
        }
        Err(Unfetched::Failed(cause)) => {
            let doing = format_args!("fetching {name} of the locked package index");
            Err(RebuildError::Index(cause.doing(doing)))
        }
    }
}

/// The files that the lock names; `None` if the lock cannot be read, since the builder reports that.
fn locked(directory: &Path) -> Option<Index> {
    let file = content::open_regular(&directory.join(LOCK)).ok()?;
    let bytes = content::read_limited(file, limits::DOCUMENT).ok()?;
    let lock: Lock = content::toml::parse(&bytes).ok()?;
    Some(lock.index)
}
