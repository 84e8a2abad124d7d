//! Inputs on disk, by kind, name, version and digest. The store checks digests when an input is stored and each time it
//! is read. The caller checks, before an input is stored, that it has the name and version of its key.

mod error;
mod files;
mod folders;
mod items;
mod key;
mod limit;
mod projects;
mod records;

use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use console::hint::Hinted;
use rustix::fs::StatVfsMountFlags;

pub use error::StoreError;
pub use items::Share;
use key::Origin;
pub use key::{Key, Kind};
pub use limit::{Keep, Pruned};

/// The mode of folders, for every umask of the caller: other users may read a store.
const FOLDER_MODE: u32 = 0o755;
/// The folders of unpacked inputs: build roots, crates and archives.
const UNPACKED: [&str; 4] = [
    "roots",
    "vendored",
    Origin::Fetched.unpacked(),
    Origin::Capsule.unpacked(),
];
const IN_USE: &str = "in-use.lock";

/// A folder of inputs. Processes may share it: files are written atomically, and the temporary files of a killed
/// process are removed by the next one.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    /// The lock file, locked while the store is open: shared, or exclusively while inputs are removed.
    in_use: File,
    /// Maximum size of the store while no process uses it, in bytes.
    limit: u64,
    origin: Origin,
}

impl Store {
    /// Opens the store in `folder`, which is made if it does not exist.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::open_within(folder, u64::MAX)
    }

    /// Opens the store. It is pruned to `limit` bytes, as [`Store::prune`] does, now and when it is closed, unless another
    /// process uses it then.
    ///
    /// # Errors
    /// It cannot be made or pruned.
    pub fn open_within(folder: &Path, limit: u64) -> Result<Self, StoreError> {
        let failed = |source| StoreError::at(folder, source);
        fs::create_dir_all(folder).map_err(failed)?;
        let store = Self::at(folder, limit)?;
        match store.in_use.try_lock() {
            Ok(()) => drop(limit::trim(&store, &Keep::within(limit))?),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        store.in_use.lock_shared().map_err(failed)?;
        Ok(store)
    }

    /// The same store for a build from a capsule. It has none of the inputs that were fetched, except packages.
    #[must_use]
    pub fn of_capsules(mut self) -> Self {
        self.origin = Origin::Capsule;
        self
    }

    /// The inputs of the store in `folder`, by kind.
    ///
    /// # Errors
    /// It does not exist or cannot be read.
    pub fn sizes(folder: &Path) -> Result<Vec<Share>, StoreError> {
        fs::metadata(folder).map_err(|source| StoreError::at(folder, source))?;
        items::sizes(folder)
    }

    /// Removes the inputs from the store in `folder` that were last used before a time, and others until it is small enough: first
    /// unpacked build roots, crates and archives, then those that were fetched; among each, the least recently used first.
    ///
    /// # Errors
    /// Another process uses the store, or an input cannot be removed.
    pub fn prune(folder: &Path, keep: Keep) -> Result<Pruned, StoreError> {
        Self::alone_in(folder)?.trim(&keep)
    }

    /// Removes inputs, as [`Store::prune`].
    ///
    /// # Errors
    /// An input cannot be removed.
    pub fn trim(&self, keep: &Keep) -> Result<Pruned, StoreError> {
        limit::trim(self, keep)
    }

    /// Opens the store in `folder`, which no other process uses until it is closed.
    ///
    /// # Errors
    /// It does not exist, or another process uses it.
    pub fn alone_in(folder: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::at(folder, source);
        fs::metadata(folder).map_err(failed)?;
        let store = Self::at(folder, u64::MAX)?;
        match store.in_use.try_lock() {
            Ok(()) => Ok(store),
            Err(TryLockError::WouldBlock) => {
                let folder = folder.display();
                let used = format_args!("pruning store {folder}: another process is using it");
                Err(Hinted::new(used)
                    .hinting("repeat the command when that process has ended")
                    .into())
            }
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    fn at(folder: &Path, limit: u64) -> Result<Self, StoreError> {
        let fetched = items::fetched().into_iter();
        for name in fetched
            .chain(UNPACKED)
            .chain(["coming", projects::PROJECTS])
        {
            let path = folder.join(name);
            make(&path).map_err(|source| StoreError::at(&path, source))?;
        }
        let path = folder.join(IN_USE);
        let mut options = File::options();
        let options = options.create(true).truncate(false).write(true);
        Ok(Self {
            folder: folder.to_owned(),
            in_use: options
                .open(&path)
                .map_err(|source| StoreError::at(&path, source))?,
            limit,
            origin: Origin::Fetched,
        })
    }

    /// Checks that programs can be run from the store, because it contains build roots.
    ///
    /// # Errors
    /// The file system is mounted noexec, or its state cannot be read.
    pub(crate) fn check_executable(&self) -> Result<(), StoreError> {
        let found = rustix::fs::statvfs(&self.folder);
        let found = found.map_err(|error| StoreError::at(&self.folder, error.into()))?;
        match found.f_flag.contains(StatVfsMountFlags::NOEXEC) {
            true => Err(Hinted::new(format_args!(
                "using store {}: its file system is mounted noexec, and a build runs programs from it",
                self.folder.display()
            ))
            .hinting("name a store on another file system with --store, or mount this one with exec")
            .into()),
            false => Ok(()),
        }
    }
}

impl Drop for Store {
    /// The last process that uses the store prunes it. If that fails, the next one does.
    fn drop(&mut self) {
        if self.in_use.try_lock().is_ok() {
            let _ = limit::trim(self, &Keep::within(self.limit));
        }
        // A child process between fork and exec also has the file open, and would keep it locked.
        let _ = self.in_use.unlock();
    }
}

fn make(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Ok(()) => fs::set_permissions(folder, Permissions::from_mode(FOLDER_MODE)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An empty store, and the folder around it.
    pub(super) fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        (folder, store)
    }

    #[test]
    fn a_store_is_free_as_soon_as_it_is_closed() {
        let (folder, store) = store();
        // As in a child process between fork and exec.
        let _open = store.in_use.try_clone().unwrap();
        drop(store);
        Store::prune(folder.path(), Keep::within(0)).unwrap();
    }
}
