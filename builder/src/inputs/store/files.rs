//! The files of inputs: kept and read by key.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use content::CheckedReader;

use super::key::{Key, Origin};
use super::{Store, StoreError, records};

/// The mode of files, for every umask of the caller: other users may read a store.
const MODE: u32 = 0o644;

impl Store {
    /// The file of an input, which may not exist.
    pub fn path(&self, key: &Key<'_>) -> PathBuf {
        self.folder
            .join(key.kind.folder(self.origin))
            .join(key.file())
    }

    /// The size of an input in bytes, if the store has it. Its digest is checked when it is read.
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

    /// Records that an input is used now, though it is not read.
    pub(crate) fn touch(&self, key: &Key<'_>) {
        records::touch(&self.path(key));
    }

    /// Stores the bytes of `reader`, which must be `size` bytes with the digest of the key. The caller has checked that
    /// they have its name and version.
    ///
    /// # Errors
    /// The bytes differ from the key or the size, or the store cannot be used; then nothing is stored.
    pub fn keep(&self, key: &Key<'_>, reader: impl Read, size: u64) -> Result<(), StoreError> {
        let scratch = self.scratch()?;
        let making = scratch.path().join("input");
        let mut file = File::create_new(&making).map_err(|error| StoreError::at(&making, error))?;
        let reader = CheckedReader::new(reader, key.digest, size);
        copy(key, reader, &mut file, &making)?;
        let path = self.path(key);
        file.set_permissions(Permissions::from_mode(MODE))
            .and_then(|()| fs::rename(&making, &path))
            .map_err(|source| StoreError::at(&path, source))
    }

    /// Reads an input.
    ///
    /// # Errors
    /// The store does not have it, its file has other bytes, or the store cannot be used.
    pub fn read(&self, key: &Key<'_>, size: u64) -> Result<Vec<u8>, StoreError> {
        read(self.path(key), key, size)
    }

    /// Reads an input that was fetched or, if it was not, came with a capsule. A build must not use it: it could be under a name that
    /// the author of the capsule chose.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub(crate) fn read_of_any(&self, key: &Key<'_>, size: u64) -> Result<Vec<u8>, StoreError> {
        let [fetched, capsule] = Origin::ALL.map(|origin| {
            let folder = self.folder.join(key.kind.folder(origin));
            folder.join(key.file())
        });
        match read(fetched, key, size) {
            Err(StoreError::Absent { .. }) => read(capsule, key, size),
            read => read,
        }
    }
}

fn read(path: PathBuf, key: &Key<'_>, size: u64) -> Result<Vec<u8>, StoreError> {
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
            records::touch(&path);
            Ok(bytes)
        }
        Err(error) => Err(StoreError::Content {
            what: key.to_string(),
            path,
            source: error.into(),
        }),
    }
}

/// As [`io::copy`], but an error says whether reading or writing failed.
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

    use super::super::Kind;
    use super::super::tests::store;
    use super::*;

    fn key<'a>(name: &'a str, version: &'a str, bytes: &[u8]) -> Key<'a> {
        Key {
            kind: Kind::Crate,
            name,
            version,
            digest: Digest::of(bytes),
        }
    }

    #[test]
    fn only_bytes_with_the_digest_are_kept() {
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
    fn what_a_capsule_brought_is_not_what_was_fetched() {
        let (folder, fetched) = store();
        let capsules = Store::open(folder.path()).unwrap().of_capsules();
        for kind in Kind::ALL {
            let key = Key {
                kind,
                ..key("x", "1.0.0", b"input")
            };
            capsules.keep(&key, &b"input"[..], 5).unwrap();
            let is_signed = matches!(kind, Kind::Package | Kind::Index);
            assert_eq!(fetched.read(&key, 5).is_ok(), is_signed, "{key}");
            assert_eq!(fetched.read_of_any(&key, 5).unwrap(), b"input");
            assert_eq!(fetched.size(&key).unwrap().is_some(), is_signed, "{key}");
        }
        assert_ne!(fetched.trees(), capsules.trees());
        assert_ne!(fetched.unpacked(), capsules.unpacked());
        drop(capsules);
        let kept = Store::sizes(folder.path()).unwrap();
        assert_eq!(
            kept.iter().map(|share| share.inputs).sum::<usize>(),
            Kind::ALL.len()
        );
    }

    #[test]
    fn other_users_may_read_the_store() {
        let (_folder, store) = store();
        let key = key("x", "1.0.0", b"input");
        store.keep(&key, &b"input"[..], 5).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&store.path(&key)), 0o644);
        assert_eq!(mode(&store.roots()), 0o755);
    }

    #[test]
    fn changes_on_disk_are_found() {
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
