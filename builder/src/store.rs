//! Inputs on disk, by digest. Where bytes came from never matters: they are checked when they come in
//! and again whenever they are read.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use content::{CheckedReader, Digest, ReadError};

/// A folder of inputs, safe to be shared by processes: a file appears under its digest whole or not
/// at all.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// An input that cannot be kept or used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder cannot be used.
    #[error("using store {}: {source}", path.display())]
    Folder {
        /// Which file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// What should be an input is something else.
    #[error("checking {what}: {source}")]
    Content {
        /// Which input.
        what: String,
        /// How it differs.
        source: ReadError,
    },
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
        for name in ["sha256", "roots", "coming"] {
            let path = folder.join(name);
            fs::create_dir_all(&path).map_err(|source| StoreError::Folder { path, source })?;
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

    /// Where things are made before they get their name; on the same file system as the store.
    pub fn coming(&self) -> PathBuf {
        self.folder.join("coming")
    }

    /// Whether there is a file of this digest and size in bytes. Its content is checked when it is
    /// read.
    pub fn has(&self, digest: &Digest, size: u64) -> bool {
        fs::metadata(self.path(digest)).is_ok_and(|metadata| metadata.len() == size)
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
        let coming = self.coming();
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| StoreError::Folder { path, source }
        };
        let mut file = tempfile::NamedTempFile::new_in(&coming).map_err(failed(&coming))?;
        let mut checked = CheckedReader::new(reader, *digest, size);
        io::copy(&mut checked, &mut file).map_err(|error| StoreError::Content {
            what: what.to_owned(),
            source: error.into(),
        })?;
        let path = self.path(digest);
        file.persist(&path)
            .map_err(|error| failed(&path)(error.error))
            .map(drop)
    }

    /// Opens an input; the reader fails at its end if it is another.
    ///
    /// # Errors
    /// There is none, or the folder cannot be used.
    pub fn open_input(
        &self,
        digest: &Digest,
        size: u64,
    ) -> Result<CheckedReader<File>, StoreError> {
        let path = self.path(digest);
        let file = File::open(&path).map_err(|source| StoreError::Folder { path, source })?;
        Ok(CheckedReader::new(file, *digest, size))
    }

    /// Reads an input whole. `what` names it in errors.
    ///
    /// # Errors
    /// As [`Store::open_input`], or it is another.
    pub fn read(&self, what: &str, digest: &Digest, size: u64) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        self.open_input(digest, size)?
            .read_to_end(&mut bytes)
            .map_err(|error| StoreError::Content {
                what: what.to_owned(),
                source: error.into(),
            })?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_is_right_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let digest = Digest::of(b"input");
        assert!(store.keep("x", &b"inpux"[..], &digest, 5).is_err());
        assert!(!store.has(&digest, 5));
        store.keep("x", &b"input"[..], &digest, 5).unwrap();
        assert_eq!(store.read("x", &digest, 5).unwrap(), b"input");
        assert_eq!(fs::read_dir(store.coming()).unwrap().count(), 0);
    }

    #[test]
    fn notices_what_was_changed_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let digest = Digest::of(b"input");
        store.keep("x", &b"input"[..], &digest, 5).unwrap();
        fs::write(store.path(&digest), "inqut").unwrap();
        let error = store.read("crate x", &digest, 5).unwrap_err();
        assert!(
            error.to_string().starts_with("checking crate x: "),
            "{error}"
        );
    }
}
