//! The inputs in a store: their kinds, their sizes, and when they were last used.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::key::Origin;
use super::records::{record, size_of};
use super::{Kind, StoreError, UNPACKED};

/// Length of a digest in hex.
const HEX: usize = 64;
/// The folder of fetched inputs in a store of an earlier version of this program.
pub(super) const EARLIER: &str = "sha256";

/// The folders of fetched inputs.
pub(super) fn fetched() -> Vec<&'static str> {
    let of = |origin: Origin| {
        let kinds = Kind::ALL.map(|kind| kind.folder(origin));
        kinds.into_iter().chain([origin.trees()])
    };
    let [fetched, capsules] = Origin::ALL.map(of);
    // Packages and indexes are in the same folders.
    let shared: Vec<_> = fetched.collect();
    let others = capsules.filter(|name| !shared.contains(name));
    shared.iter().copied().chain(others).collect()
}

/// The inputs of one kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Share {
    /// The name of their folder.
    pub kind: &'static str,
    /// Their number.
    pub inputs: usize,
    /// Their size in bytes.
    pub bytes: u64,
}

/// An archive or an unpacked folder.
pub(super) struct Item {
    pub(super) path: PathBuf,
    pub(super) size: u64,
    pub(super) used: SystemTime,
}

/// The inputs in a store, by kind.
pub(super) fn sizes(folder: &Path) -> Result<Vec<Share>, StoreError> {
    let share = |kind: &'static str| {
        let items = items_of(folder, kind)?;
        Ok(Share {
            kind,
            inputs: items.len(),
            bytes: items.iter().map(|item| item.size).sum(),
        })
    };
    let all = UNPACKED.into_iter().chain(fetched()).chain([EARLIER]);
    all.map(share).collect()
}

/// The inputs in one folder of a store.
pub(super) fn items_of(folder: &Path, name: &str) -> Result<Vec<Item>, StoreError> {
    let folder = folder.join(name);
    let items = || {
        let entries = entries(&folder)?.into_iter().filter(is_digest);
        let item = |entry: DirEntry| match entry.file_type()?.is_dir() {
            true => unpacked_item(entry.path()),
            false => fetched_item(&entry),
        };
        entries.map(item).collect::<io::Result<Vec<_>>>()
    };
    items().map_err(|source| StoreError::at(&folder, source))
}

fn fetched_item(entry: &DirEntry) -> io::Result<Item> {
    let found = entry.metadata()?;
    Ok(Item {
        path: entry.path(),
        size: found.len(),
        used: found.modified()?,
    })
}

fn unpacked_item(path: PathBuf) -> io::Result<Item> {
    let record = record(&path);
    let noted = fs::read_to_string(&record).ok();
    let noted = noted.and_then(|size| size.trim().parse().ok());
    let used = fs::metadata(&record).and_then(|record| record.modified());
    Ok(Item {
        size: noted.map_or_else(|| size_of(&path), Ok)?,
        // Without a record: the process was killed, or was an earlier version of this program.
        used: used.unwrap_or(SystemTime::UNIX_EPOCH),
        path,
    })
}

/// Whether this program made the entry: a user may name any folder as a store.
fn is_digest(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    let mut parts = name.to_str().unwrap_or_default().split('-');
    parts.all(|part| part.len() == HEX && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn entries(folder: &Path) -> io::Result<Vec<DirEntry>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read?.collect(),
    }
}
