//! Errors of the operating system at a file or folder.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::{printable, read_limited};

/// Characters of a path that are shown. Linux opens no longer path.
const LENGTH: usize = 4096;

/// A file or folder that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{doing} {}: {}", shown(path), said(source))]
pub struct At {
    /// The operation, as a present participle: `reading`, `writing`.
    pub doing: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// The error of the operating system.
    pub source: io::Error,
}

impl At {
    /// A file or folder that cannot be read.
    pub fn reading(path: &Path) -> impl Fn(io::Error) -> Self {
        Self::doing("reading", path)
    }

    /// A file or folder that cannot be written.
    pub fn writing(path: &Path) -> impl Fn(io::Error) -> Self {
        Self::doing("writing", path)
    }

    /// A file or folder that cannot be used otherwise.
    pub fn doing(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self {
            doing,
            path: path.to_owned(),
            source,
        }
    }
}

/// The path on one line, without characters that control a terminal.
pub fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy(), LENGTH)
}

/// A quota counts as the disk.
fn said(error: &io::Error) -> String {
    match is_full(error) {
        true => "the disk is full".to_owned(),
        false => error.to_string(),
    }
}

/// Whether the disk or the user's share of it is full.
pub fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// It cannot be read, or is longer.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, At> {
    File::open(path)
        .and_then(|file| read_limited(file, limit).map_err(io::Error::other))
        .map_err(At::reading(path))
}
