//! Inputs on disk, by digest. Where bytes came from never matters: they are checked when they come in
//! and again whenever they are read.

mod error;

use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use content::{CheckedReader, Digest};
use scratch::Scratch;

use crate::interrupt::Interrupt;
pub use error::StoreError;
pub(crate) use error::is_full;

/// Other users may read what is in a store, whatever the caller's mask says.
const FILE_MODE: u32 = 0o644;
const FOLDER_MODE: u32 = 0o755;
/// How long an interrupt may go unheard.
const TICK: Duration = Duration::from_millis(100);

/// A folder of inputs, safe to be shared by processes: a file appears under its digest whole or not
/// at all, and one that is killed leaves nothing that stays.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// Opens the store in `folder`, which is made if need be.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let store = Self {
            folder: folder.to_owned(),
        };
        fs::create_dir_all(folder).map_err(|source| StoreError::at(folder, source))?;
        for name in ["sha256", "roots", "vendored", "coming"] {
            let path = folder.join(name);
            make(&path).map_err(|source| StoreError::at(&path, source))?;
        }
        Ok(store)
    }

    /// Where the input with this digest lies, if it does.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join("sha256").join(digest.hex())
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
            renamed => renamed.map_err(|source| StoreError::at(place, source)),
        }
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

    /// The size in bytes of the file of this digest, if there is one. Its content is checked when it
    /// is read.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn size(&self, digest: &Digest) -> Result<Option<u64>, StoreError> {
        let path = self.path(digest);
        match fs::metadata(&path) {
            Ok(found) => Ok(found.is_file().then_some(found.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::at(&path, source)),
        }
    }

    /// Keeps the bytes of `reader`, which must be `size` bytes with this digest. `what` names them in
    /// errors.
    ///
    /// # Errors
    /// They are others, or the folder cannot be used; then nothing is kept.
    pub fn keep(
        &self,
        what: &str,
        reader: impl Read,
        digest: &Digest,
        size: u64,
    ) -> Result<(), StoreError> {
        let scratch = self.scratch()?;
        let making = scratch.path().join("input");
        let mut file = File::create_new(&making).map_err(|error| StoreError::at(&making, error))?;
        copy(
            what,
            CheckedReader::new(reader, *digest, size),
            &mut file,
            &making,
        )?;
        let path = self.path(digest);
        file.set_permissions(Permissions::from_mode(FILE_MODE))
            .and_then(|()| fs::rename(&making, &path))
            .map_err(|source| StoreError::at(&path, source))
    }

    /// Opens an input, which `what` names in errors; the reader fails at its end if it is another.
    ///
    /// # Errors
    /// There is none, or the folder cannot be used.
    pub fn open_input(
        &self,
        what: &str,
        digest: &Digest,
        size: u64,
    ) -> Result<CheckedReader<File>, StoreError> {
        let path = self.path(digest);
        match File::open(&path) {
            Ok(file) => Ok(CheckedReader::new(file, *digest, size)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StoreError::Absent {
                what: what.to_owned(),
                digest: *digest,
            }),
            Err(source) => Err(StoreError::at(&path, source)),
        }
    }

    /// Reads an input whole. `what` names it in errors.
    ///
    /// # Errors
    /// As [`Store::open_input`], or it is another.
    pub fn read(&self, what: &str, digest: &Digest, size: u64) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        self.open_input(what, digest, size)?
            .read_to_end(&mut bytes)
            .map_err(|error| StoreError::Content {
                what: what.to_owned(),
                path: self.path(digest),
                source: error.into(),
            })?;
        Ok(bytes)
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
    what: &str,
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
                    what: what.to_owned(),
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
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        (folder, store)
    }

    #[test]
    fn keeps_what_is_right_and_nothing_else() {
        let (_folder, store) = store();
        let digest = Digest::of(b"input");
        for wrong in [&b"inpux"[..], b"inpu", b"inputs"] {
            assert!(matches!(
                store.keep("x", wrong, &digest, 5),
                Err(StoreError::Came { .. })
            ));
        }
        assert_eq!(store.size(&digest).unwrap(), None);
        assert!(matches!(
            store.read("x", &digest, 5),
            Err(StoreError::Absent { .. })
        ));
        store.keep("x", &b"input"[..], &digest, 5).unwrap();
        store.keep("x", &b"input"[..], &digest, 5).unwrap();
        assert_eq!(store.read("x", &digest, 5).unwrap(), b"input");
        assert_eq!(store.size(&digest).unwrap(), Some(5));
        assert_eq!(fs::read_dir(store.coming()).unwrap().count(), 0);
    }

    #[test]
    fn others_may_read_it() {
        let (_folder, store) = store();
        let digest = Digest::of(b"input");
        store.keep("x", &b"input"[..], &digest, 5).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&store.path(&digest)), 0o644);
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
        let digest = Digest::of(b"input");
        store.keep("x", &b"input"[..], &digest, 5).unwrap();
        fs::write(store.path(&digest), "inqut").unwrap();
        let error = store.read("crate x", &digest, 5).unwrap_err();
        assert!(
            error.to_string().starts_with("checking crate x: "),
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
        let error = copy("x", &b"input"[..], &mut Full, Path::new("/store")).unwrap_err();
        assert_eq!(error.to_string(), "writing /store: the disk is full");
        assert!(error.hint().is_some());
    }
}
