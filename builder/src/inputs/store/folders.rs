//! The folders of a store: unpacked build roots and crates, and those that are not complete yet.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use content::Digest;
use scratch::Scratch;

use super::{Store, StoreError, records};
use crate::interrupt::Interrupt;

/// Interval between checks for an interrupt.
const TICK: Duration = Duration::from_millis(100);

/// As long as this lives, no other process replaces the folders.
#[derive(Debug)]
pub(crate) struct Alone(File);

impl Drop for Alone {
    /// A child process between fork and exec also has the file open, and would keep it locked.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl Store {
    /// The folder of unpacked build roots.
    pub fn roots(&self) -> PathBuf {
        self.folder.join("roots")
    }

    /// The folder of unpacked crates.
    pub fn vendored(&self) -> PathBuf {
        self.folder.join("vendored")
    }

    /// The folder of the files of git repositories.
    pub fn trees(&self) -> PathBuf {
        self.folder.join(self.origin.trees())
    }

    /// The folder of unpacked archives.
    pub fn unpacked(&self) -> PathBuf {
        self.folder.join(self.origin.unpacked())
    }

    /// The folder of inputs that are not complete yet.
    pub fn coming(&self) -> PathBuf {
        self.folder.join("coming")
    }

    /// An empty temporary folder. It is removed when this is dropped, or, if this process is killed, by the next process
    /// that needs one.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn scratch(&self) -> Result<Scratch, StoreError> {
        let coming = self.coming();
        Scratch::below(&coming).map_err(|source| StoreError::at(&coming, source))
    }

    /// Waits until no other process replaces folders below `folder`: two processes could remove each other's new folders.
    /// Other processes wait until the result is dropped.
    ///
    /// # Errors
    /// The store cannot be used, or the work was interrupted.
    pub(crate) fn alone(&self, folder: &Path, interrupt: &Interrupt) -> Result<Alone, StoreError> {
        let path = folder.with_extension("lock");
        let failed = |source| StoreError::at(&path, source);
        let mut options = File::options();
        let options = options.create(true).truncate(false).write(true);
        let file = options.open(&path).map_err(failed)?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Alone(file)),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
                Err(TryLockError::WouldBlock) => std::thread::sleep(TICK),
            }
            interrupt.check()?;
        }
    }

    /// Moves a complete folder to its place in the store. If another process has done so already, its folder stays.
    ///
    /// # Errors
    /// It cannot be moved there.
    pub(crate) fn publish(&self, made: &Path, folder: &Path) -> Result<(), StoreError> {
        use io::ErrorKind::{AlreadyExists, DirectoryNotEmpty};
        if folder.exists() && !folder.is_dir() {
            self.discard(folder)?;
        }
        match fs::rename(made, folder) {
            Err(error) if matches!(error.kind(), DirectoryNotEmpty | AlreadyExists) => Ok(()),
            renamed => renamed
                .and_then(|()| records::note(folder))
                .map_err(|source| StoreError::at(folder, source)),
        }
    }

    /// Records that an unpacked folder is used now, and returns it.
    pub(crate) fn used(&self, folder: PathBuf) -> PathBuf {
        records::touch(&records::record(&folder));
        folder
    }

    /// The digest of an unpacked folder that [`Store::note_digest`] recorded. The caller compares it with the folder.
    pub(crate) fn noted(&self, folder: &Path) -> Option<Digest> {
        let text = fs::read_to_string(records::digest_record(folder)).ok()?;
        text.parse().ok()
    }

    /// Records the digest of an unpacked folder, for locks of other projects.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn note_digest(&self, folder: &Path, digest: &Digest) -> Result<(), StoreError> {
        let path = records::digest_record(folder);
        fs::write(&path, digest.to_string()).map_err(|source| StoreError::at(&path, source))
    }

    /// Removes a file or folder in one step, so that no process sees part of it.
    ///
    /// # Errors
    /// It cannot be moved.
    pub(crate) fn discard(&self, folder: &Path) -> Result<(), StoreError> {
        let away = self.scratch()?;
        match fs::rename(folder, away.path().join("discarded")) {
            // Another process has removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            moved => moved.map_err(|source| StoreError::at(folder, source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::store;
    use super::*;

    #[test]
    fn one_process_at_a_time_replaces_folders() {
        let (_folder, store) = store();
        let interrupt = Interrupt::default();
        let alone = store.alone(&store.roots(), &interrupt).unwrap();
        store.alone(&store.vendored(), &interrupt).unwrap();
        interrupt.raise();
        let waited = store.alone(&store.roots(), &interrupt);
        assert!(matches!(waited, Err(StoreError::Interrupted(_))));
        // As in a child process between fork and exec.
        let _open = alone.0.try_clone().unwrap();
        drop(alone);
        store.alone(&store.roots(), &interrupt).unwrap();
    }
}
