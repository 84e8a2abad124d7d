//! Inputs on disk, by kind, name, version and digest. The digest is checked when bytes come in and again
//! whenever they are read; that they are what their name says is checked by who keeps them, before.

mod error;
mod key;
mod limit;

use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use content::CheckedReader;
use rustix::fs::StatVfsMountFlags;
use scratch::Scratch;

use crate::interrupt::Interrupt;
pub use error::StoreError;
pub use key::{Key, Kind};
pub use limit::Pruned;

/// Other users may read what is in a store, whatever the caller's mask says.
const FILE_MODE: u32 = 0o644;
const FOLDER_MODE: u32 = 0o755;
const IN_USE: &str = "in-use.lock";
/// How long an interrupt may go unheard.
const TICK: Duration = Duration::from_millis(100);

/// A folder of inputs, safe to be shared by processes: a file appears under its key whole or not
/// at all, and one that is killed leaves nothing that stays.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    /// Locked for as long as the store is used: shared by those who add to it, and alone by who removes.
    in_use: File,
}

impl Store {
    /// Opens the store in `folder`, which is made if need be.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::open_within(folder, u64::MAX)
    }

    /// The same, where the store holds `limit` bytes or less before anything is added, unless another process
    /// uses it. What goes is what [`Store::prune`] would remove.
    ///
    /// # Errors
    /// It cannot be made, or nothing can be removed.
    pub fn open_within(folder: &Path, limit: u64) -> Result<Self, StoreError> {
        let failed = |source| StoreError::at(folder, source);
        fs::create_dir_all(folder).map_err(failed)?;
        let store = Self::at(folder)?;
        match store.in_use.try_lock() {
            Ok(()) => drop(limit::trim(&store, limit)?),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        store.in_use.lock_shared().map_err(failed)?;
        Ok(store)
    }

    /// Removes from the store in `folder` until it holds `limit` bytes or less: first build roots and crates that
    /// were unpacked, then archives, of each what was least recently used.
    ///
    /// # Errors
    /// Another process uses the store, or something cannot be removed.
    pub fn prune(folder: &Path, limit: u64) -> Result<Pruned, StoreError> {
        let failed = |source| StoreError::at(folder, source);
        fs::metadata(folder).map_err(failed)?;
        let store = Self::at(folder)?;
        match store.in_use.try_lock() {
            Ok(()) => limit::trim(&store, limit),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse(folder.to_owned())),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    fn at(folder: &Path) -> Result<Self, StoreError> {
        let kinds = Kind::ALL.map(Kind::folder);
        for name in kinds.into_iter().chain(["roots", "vendored", "coming"]) {
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
        })
    }

    /// Checks that programs can be run from the store, as a build root is in it.
    ///
    /// # Errors
    /// The file system is mounted noexec, or cannot be asked.
    pub(crate) fn check_executable(&self) -> Result<(), StoreError> {
        let found = rustix::fs::statvfs(&self.folder);
        let found = found.map_err(|error| StoreError::at(&self.folder, error.into()))?;
        match found.f_flag.contains(StatVfsMountFlags::NOEXEC) {
            true => Err(StoreError::NoExec(self.folder.clone())),
            false => Ok(()),
        }
    }

    /// The file of an input, whether it is there or not.
    pub fn path(&self, key: &Key<'_>) -> PathBuf {
        self.folder.join(key.kind.folder()).join(key.file())
    }

    /// Where unpacked build roots lie.
    pub fn roots(&self) -> PathBuf {
        self.folder.join("roots")
    }

    /// Where unpacked crates lie.
    pub fn vendored(&self) -> PathBuf {
        self.folder.join("vendored")
    }

    /// Where things are made before they get their name; on the same file system as the store.
    pub fn coming(&self) -> PathBuf {
        self.folder.join("coming")
    }

    /// An empty folder for what is made; it goes when this is dropped, or, when this process is
    /// killed, as soon as another one asks for one.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn scratch(&self) -> Result<Scratch, StoreError> {
        let coming = self.coming();
        Scratch::below(&coming).map_err(|source| StoreError::at(&coming, source))
    }

    /// Waits until nobody else makes anew what lies below `folder`: one would take away what another has
    /// just made and uses. Until the file is dropped, others wait.
    ///
    /// # Errors
    /// The store cannot be used, or somebody interrupted.
    pub(crate) fn alone(&self, folder: &Path, interrupt: &Interrupt) -> Result<File, StoreError> {
        let path = folder.with_extension("lock");
        let failed = |source| StoreError::at(&path, source);
        let mut options = File::options();
        let options = options.create(true).truncate(false).write(true);
        let file = options.open(&path).map_err(failed)?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
                Err(TryLockError::WouldBlock) => std::thread::sleep(TICK),
            }
            interrupt.check()?;
        }
    }

    /// Gives a folder that was made in the store its place, whole. If somebody else was faster, theirs stays.
    ///
    /// # Errors
    /// It cannot be moved there.
    pub(crate) fn publish(&self, made: &Path, place: &Path) -> Result<(), StoreError> {
        use io::ErrorKind::{AlreadyExists, DirectoryNotEmpty};
        if place.exists() && !place.is_dir() {
            self.discard(place)?;
        }
        match fs::rename(made, place) {
            Err(error) if matches!(error.kind(), DirectoryNotEmpty | AlreadyExists) => Ok(()),
            renamed => renamed
                .and_then(|()| limit::note(place))
                .map_err(|source| StoreError::at(place, source)),
        }
    }

    /// Notes that an unpacked folder is used now, and gives it back.
    pub(crate) fn used(&self, place: PathBuf) -> PathBuf {
        limit::touch(&limit::record(&place));
        place
    }

    /// Takes what is at `place` away in one step, so that nobody sees half of it.
    ///
    /// # Errors
    /// It cannot be moved.
    pub(crate) fn discard(&self, place: &Path) -> Result<(), StoreError> {
        let away = self.scratch()?;
        match fs::rename(place, away.path().join("discarded")) {
            // Somebody else was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            moved => moved.map_err(|source| StoreError::at(place, source)),
        }
    }

    /// The size in bytes of the file of an input, if there is one. Its content is checked when it
    /// is read.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn size(&self, key: &Key<'_>) -> Result<Option<u64>, StoreError> {
        let path = self.path(key);
        match fs::metadata(&path) {
            Ok(found) => Ok(found.is_file().then_some(found.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::at(&path, source)),
        }
    }

    /// Keeps the bytes of `reader`, which must be `size` bytes with the key's digest. That they are
    /// what the key says otherwise must have been checked.
    ///
    /// # Errors
    /// They are others, or the folder cannot be used; then nothing is kept.
    pub fn keep(&self, key: &Key<'_>, reader: impl Read, size: u64) -> Result<(), StoreError> {
        let scratch = self.scratch()?;
        let making = scratch.path().join("input");
        let mut file = File::create_new(&making).map_err(|error| StoreError::at(&making, error))?;
        let reader = CheckedReader::new(reader, key.digest, size);
        copy(key, reader, &mut file, &making)?;
        let path = self.path(key);
        file.set_permissions(Permissions::from_mode(FILE_MODE))
            .and_then(|()| fs::rename(&making, &path))
            .map_err(|source| StoreError::at(&path, source))
    }

    /// Reads an input whole.
    ///
    /// # Errors
    /// There is none, its file holds other bytes, or the folder cannot be used.
    pub fn read(&self, key: &Key<'_>, size: u64) -> Result<Vec<u8>, StoreError> {
        let path = self.path(key);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError::Absent {
                    what: key.to_string(),
                    digest: key.digest,
                });
            }
            Err(source) => return Err(StoreError::at(&path, source)),
        };
        let mut bytes = Vec::new();
        match CheckedReader::new(file, key.digest, size).read_to_end(&mut bytes) {
            Ok(_) => {
                limit::touch(&path);
                Ok(bytes)
            }
            Err(error) => Err(StoreError::Content {
                what: key.to_string(),
                path,
                source: error.into(),
            }),
        }
    }
}

impl Drop for Store {
    /// A child process between fork and exec has the file open as well, and would keep it locked.
    fn drop(&mut self) {
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

/// Like [`io::copy`], but tells whether reading or writing failed.
fn copy(
    key: &Key<'_>,
    mut from: impl Read,
    to: &mut impl Write,
    path: &Path,
) -> Result<(), StoreError> {
    let mut buffer = vec![0; 128 << 10];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                return Err(StoreError::Came {
                    what: key.to_string(),
                    source: error.into(),
                });
            }
        };
        to.write_all(&buffer[..count])
            .map_err(|source| StoreError::at(path, source))?;
    }
}

#[cfg(test)]
mod tests {
    use content::Digest;

    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        (folder, store)
    }

    fn key<'a>(name: &'a str, version: &'a str, bytes: &[u8]) -> Key<'a> {
        Key {
            kind: Kind::Crate,
            name,
            version,
            digest: Digest::of(bytes),
        }
    }

    #[test]
    fn keeps_what_is_right_and_nothing_else() {
        let (_folder, store) = store();
        let key = key("x", "1.0.0", b"input");
        for wrong in [&b"inpux"[..], b"inpu", b"inputs"] {
            assert!(matches!(
                store.keep(&key, wrong, 5),
                Err(StoreError::Came { .. })
            ));
        }
        assert_eq!(store.size(&key).unwrap(), None);
        assert!(matches!(
            store.read(&key, 5),
            Err(StoreError::Absent { .. })
        ));
        store.keep(&key, &b"input"[..], 5).unwrap();
        store.keep(&key, &b"input"[..], 5).unwrap();
        assert_eq!(store.read(&key, 5).unwrap(), b"input");
        assert_eq!(store.size(&key).unwrap(), Some(5));
        assert_eq!(fs::read_dir(store.coming()).unwrap().count(), 0);
    }

    #[test]
    fn an_input_is_found_under_its_own_name_only() {
        let (_folder, store) = store();
        let own = key("x-1", "1.0.0", b"input");
        store.keep(&own, &b"input"[..], 5).unwrap();
        let package = Key {
            kind: Kind::Package,
            ..own
        };
        let others = [
            package,
            key("x", "1-1.0.0", b"input"),
            key("x-11", ".0.0", b"input"),
            key("../crates/x-1", "1.0.0", b"input"),
            key("x-1", "1.0.0", b"other"),
        ];
        for other in others {
            assert_eq!(store.size(&other).unwrap(), None, "{other}");
        }
        assert_eq!(store.size(&own).unwrap(), Some(5));
    }

    #[test]
    fn others_may_read_it() {
        let (_folder, store) = store();
        let key = key("x", "1.0.0", b"input");
        store.keep(&key, &b"input"[..], 5).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&store.path(&key)), 0o644);
        assert_eq!(mode(&store.roots()), 0o755);
    }

    #[test]
    fn one_at_a_time_makes_anew() {
        let (_folder, store) = store();
        let interrupt = Interrupt::default();
        let alone = store.alone(&store.roots(), &interrupt).unwrap();
        store.alone(&store.vendored(), &interrupt).unwrap();
        interrupt.raise();
        let waited = store.alone(&store.roots(), &interrupt);
        assert!(matches!(waited, Err(StoreError::Interrupted(_))));
        drop(alone);
        store.alone(&store.roots(), &interrupt).unwrap();
    }

    #[test]
    fn notices_what_was_changed_on_disk() {
        let (_folder, store) = store();
        let key = key("x", "1.0.0", b"input");
        store.keep(&key, &b"input"[..], 5).unwrap();
        fs::write(store.path(&key), "inqut").unwrap();
        let error = store.read(&key, 5).unwrap_err();
        assert!(
            error.to_string().starts_with("checking crate x 1.0.0: "),
            "{error}"
        );
    }

    #[test]
    fn a_full_disk_is_not_wrong_content() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = copy(
            &key("x", "1.0.0", b""),
            &b"input"[..],
            &mut Full,
            Path::new("/store"),
        )
        .unwrap_err();
        assert_eq!(error.to_string(), "using store /store: the disk is full");
        assert!(error.hint().is_some());
    }
}
