//! Unpacks crate archives to a vendored source of cargo: a folder for each crate.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use content::{Digest, Hasher};
use oci::layer::Executable;

use super::archive::{self, File, Take, folder, wrong};
use crate::at::At;
use crate::inputs::Supply;
use crate::inputs::error::DependencyError;
use crate::inputs::normalize::normalize;
use crate::inputs::store::{Store, StoreError};
use crate::inputs::tree::{Tree, holds};
use crate::interrupt::Interrupt;
use crate::lock::crates::Crate;

/// A folder with all crates, as cargo expects a vendored source. The store keeps it, since creating and removing thousands
/// of files takes seconds. Whenever it is used, it is compared with the archives, whose digests are checked.
///
/// # Errors
/// An archive differs from the locked one, is not that of its crate, or the work was interrupted.
pub fn vendor(crates: &[Crate], supply: &Supply<'_>) -> Result<PathBuf, DependencyError> {
    let store = supply.store;
    let expected = expected(crates, supply.interrupt, &|one| read(one, store))?;
    let place = store.vendored().join(expected.hex());
    if holds(&place, &expected, supply.interrupt)? {
        return Ok(store.used(place));
    }
    let _alone = store.alone(&store.vendored(), supply.interrupt)?;
    // Another process may have made it in the meantime.
    if holds(&place, &expected, supply.interrupt)? {
        return Ok(store.used(place));
    }
    store.discard(&place)?;
    let scratch = store.scratch()?;
    let folder = scratch.path().join("vendored");
    unpack(crates, supply, &folder)?;
    store.publish(&folder, &place)?;
    match holds(&place, &expected, supply.interrupt)? {
        true => Ok(place),
        false => Err(StoreError::disturbed("unpacked crates", &place).into()),
    }
}

/// The folder for the unpacked crates. It may not exist.
///
/// # Errors
/// As [`vendor`].
pub(in crate::inputs) fn vendored(
    crates: &[Crate],
    store: &Store,
    interrupt: &Interrupt,
) -> Result<PathBuf, DependencyError> {
    let read = |one: &Crate| store.read_of_any(&one.named().key(), one.size);
    let expected = expected(crates, interrupt, &read)?;
    Ok(store.vendored().join(expected.hex()))
}

/// The digest of the folder that the archives unpack to.
fn expected(
    crates: &[Crate],
    interrupt: &Interrupt,
    read: &dyn Fn(&Crate) -> Result<Vec<u8>, StoreError>,
) -> Result<Digest, DependencyError> {
    let mut tree = Tree::default();
    for one in crates {
        interrupt.check()?;
        each_entry(one, &read(one)?, &mut |file| {
            let mut hasher = Hasher::new();
            let copied = io::copy(file.content, &mut hasher);
            copied.map_err(|error| wrong(&one.named(), error.to_string()))?;
            match file.executable {
                Executable::Yes => tree.add_program(file.path, &hasher.finish()),
                Executable::No => tree.add_file(file.path, &hasher.finish()),
            }
            Ok(())
        })?;
    }
    Ok(tree.digest())
}

fn unpack(crates: &[Crate], supply: &Supply<'_>, into: &Path) -> Result<(), DependencyError> {
    fs::create_dir(into).map_err(At::writing(into))?;
    supply.during("unpack crates", |step| {
        step.of(crates.len(), []);
        for one in crates {
            supply.interrupt.check()?;
            let bytes = read(one, supply.store)?;
            each_entry(one, &bytes, &mut |file| write(file, into))?;
            step.add(1, 0);
        }
        Ok::<_, DependencyError>(())
    })?;
    Ok(normalize(into).map_err(At::writing(into))?)
}

fn read(one: &Crate, store: &Store) -> Result<Vec<u8>, StoreError> {
    store.read(&one.named().key(), one.size)
}

/// Calls `take` with each file of a crate, and with the checksum file that cargo expects in its folder.
fn each_entry(one: &Crate, bytes: &[u8], take: Take<'_>) -> Result<(), DependencyError> {
    let named = one.named();
    archive::each_file(&named, bytes, take)?;
    let checksum = format!("{{\"files\":{{}},\"package\":\"{}\"}}", one.sha256.hex());
    take(File {
        path: Path::new(&folder(&named)).join(".cargo-checksum.json"),
        executable: Executable::No,
        content: &mut checksum.as_bytes(),
    })
}

/// Writes a new file. A file or link that exists is never written to.
fn write(file: File<'_>, into: &Path) -> Result<(), DependencyError> {
    let path = &into.join(file.path);
    let failed = At::writing(path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(&failed)?;
    }
    let mode = match file.executable {
        Executable::Yes => 0o755,
        Executable::No => 0o644,
    };
    let mut options = fs::OpenOptions::new();
    let new = options.write(true).create_new(true).mode(mode);
    let mut written = new.open(path).map_err(&failed)?;
    io::copy(file.content, &mut written).map_err(&failed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    const MANIFEST: &str = "[package]\nname = 'c'\nversion = '1.0.0'\n";

    /// A store with the archive of one crate, which has the file `path` besides its manifest.
    fn store_with(path: &str) -> (tempfile::TempDir, Store, Crate) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let files = [
            ("c-1.0.0/Cargo.toml", MANIFEST),
            (path, "text"),
            ("c-1.0.0/configure", "#!/bin/sh\n"),
        ];
        let bytes = archive::archive(&files);
        let one = Crate {
            name: "c".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            sha256: Digest::of(&bytes),
            size: bytes.len() as u64,
        };
        store.keep(&one.key(), &bytes[..], one.size).unwrap();
        (folder, store, one)
    }

    fn refused(path: &str) -> DependencyError {
        let (_folder, store, one) = store_with(path);
        vendor(&[one], &Supply::of(&store)).unwrap_err()
    }

    #[test]
    fn unpacks_what_was_locked() {
        let (_folder, store, one) = store_with("c-1.0.0/./src//lib.rs");
        let folder = vendor(&[one], &Supply::of(&store)).unwrap();
        let at = |name: &str| folder.join("c-1.0.0").join(name);
        let file = |name: &str| fs::read(at(name)).unwrap();
        assert_eq!(file("src/lib.rs"), b"text");
        let mode = |name: &str| fs::metadata(at(name)).unwrap().mode() & 0o777;
        assert_eq!((mode("src/lib.rs"), mode("configure")), (0o644, 0o755));
        assert!(file(".cargo-checksum.json").starts_with(b"{"));
    }

    #[test]
    fn unpacked_crates_are_kept_until_they_change() {
        let (_folder, store, one) = store_with("c-1.0.0/src/lib.rs");
        let crates = [one];
        let again = || vendor(&crates, &Supply::of(&store)).unwrap();
        let folder = again();
        let inode = |path: &Path| fs::metadata(path).unwrap().ino();
        let first = inode(&folder);
        assert_eq!(inode(&again()), first);
        let changes: [fn(&Path) -> io::Result<()>; 3] = [
            |folder| fs::write(folder.join("c-1.0.0/src/lib.rs"), "evil"),
            |folder| fs::write(folder.join("c-1.0.0/build.rs"), ""),
            |folder| fs::remove_dir_all(folder).and_then(|()| fs::write(folder, "none")),
        ];
        for change in changes {
            change(&folder).unwrap();
            let text = fs::read(again().join("c-1.0.0/src/lib.rs")).unwrap();
            assert_eq!(text, b"text");
            assert!(!folder.join("c-1.0.0/build.rs").exists());
        }
    }

    #[test]
    fn refuses_paths_that_leave_the_crate() {
        for path in ["../evil", "/evil", "c-1.0.0/../../evil", "d-1.0.0/lib.rs"] {
            assert_eq!(
                refused(path).to_string(),
                format!("unpacking crate c 1.0.0: {path} is not below c-1.0.0")
            );
        }
    }

    #[test]
    fn existing_files_and_links_are_not_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let (kept, link) = (folder.path().join("kept"), folder.path().join("link"));
        fs::write(&kept, "kept").unwrap();
        std::os::unix::fs::symlink(&kept, &link).unwrap();
        for path in [&kept, &link] {
            let file = File {
                path: path.clone(),
                executable: Executable::No,
                content: &mut &b"evil"[..],
            };
            let refused = write(file, folder.path()).unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!("writing {}: File exists (os error 17)", path.display())
            );
        }
        assert_eq!(fs::read(&kept).unwrap(), b"kept");
        let twice = refused("c-1.0.0/.cargo-checksum.json").to_string();
        assert!(
            twice.starts_with("writing ")
                && twice.ends_with("/c-1.0.0/.cargo-checksum.json: File exists (os error 17)"),
            "{twice}"
        );
    }

    #[test]
    fn can_be_interrupted_between_two_crates() {
        let (_folder, store, one) = store_with("c-1.0.0/src/lib.rs");
        let interrupt = Interrupt::default();
        interrupt.raise();
        let supply = Supply {
            interrupt: &interrupt,
            ..Supply::of(&store)
        };
        let ended = vendor(&[one], &supply);
        assert!(matches!(ended, Err(DependencyError::Interrupted(_))));
    }

    #[test]
    fn refuses_a_tampered_archive_by_name() {
        let (_folder, store, one) = store_with("c-1.0.0/lib.rs");
        let crates = [one];
        // Whether it was unpacked before or not.
        vendor(&crates, &Supply::of(&store)).unwrap();
        let path = store.path(&crates[0].key());
        let mut bytes = fs::read(&path).unwrap();
        bytes[9] ^= 1;
        fs::write(path, bytes).unwrap();
        let error = vendor(&crates, &Supply::of(&store)).unwrap_err();
        let error = error.to_string();
        assert!(
            error.starts_with("checking crate c 1.0.0: checking content: expected sha256:"),
            "{error}"
        );
    }
}
