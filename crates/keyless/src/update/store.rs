//! What earlier updates have left: the metadata that was verified last.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sigstore_tuf::{MetadataStore, Result};

/// The files of a store, by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The names of the files of a store, except those of earlier roots.
pub const FILES: [&str; 4] = [
    "root.json",
    "timestamp.json",
    "snapshot.json",
    "targets.json",
];
/// The folder of earlier roots in a store, `N.root.json` each.
pub const ROOTS: &str = "root_history";
const HISTORY: &str = "root_history/";

/// The largest file of a store, in bytes. The library fetches no larger metadata.
pub const LARGEST: u64 = 5_000_000;

/// Whether a file with this name is one of a store's.
pub fn is_stored(name: &str) -> bool {
    FILES.contains(&name) || version_of(name).is_some()
}

/// The version in the name of a file of earlier roots.
fn version_of(name: &str) -> Option<u64> {
    let version = name.strip_prefix(HISTORY)?.strip_suffix(".root.json")?;
    let version = version.parse().ok()?;
    (root_file(version) == name).then_some(version)
}

/// Whether a file with this name is an earlier root.
pub(super) fn is_earlier_root(name: &str) -> bool {
    version_of(name).is_some()
}

/// The files in the order in which they must be written, so that a store of the first few can be used: earlier roots, by which
/// the root is reached from the given one, then the root, by which the others are verified.
pub fn in_order(files: &Files) -> impl Iterator<Item = (&str, &[u8])> {
    let mut files: Vec<_> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    files.sort_by_key(|(name, _)| match version_of(name) {
        Some(version) => (0, version),
        None if *name == FILES[0] => (1, 0),
        None => (2, 0),
    });
    files.into_iter()
}

pub(super) fn root_file(version: u64) -> String {
    format!("{HISTORY}{version}.root.json")
}

/// A store in memory. It is written to disk as a whole, so that an error is not lost: the library ignores them.
#[derive(Clone)]
pub(super) struct Memory(Arc<Mutex<Files>>);

impl Memory {
    pub(super) fn new(files: Files) -> Self {
        Self(Arc::new(Mutex::new(files)))
    }

    pub(super) fn files(&self) -> Files {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl MetadataStore for Memory {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.files().get(name).cloned())
    }

    /// Keeps the files of a store. The library also offers targets and the metadata of delegated roles, whose names come from
    /// the repository; these are fetched again.
    fn store(&self, name: &str, bytes: &[u8]) -> Result<()> {
        if is_stored(name) {
            let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            files.insert(name.to_owned(), bytes.to_vec());
        }
        Ok(())
    }
}
