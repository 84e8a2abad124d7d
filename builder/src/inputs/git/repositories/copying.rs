//! Copies of git repositories, in which cargo finds packages.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use content::Digest;

use super::kept::{obtain_locked, place};
use super::listing::Listing;
use super::restored;
use crate::at::At;
use crate::inputs::Supply;
use crate::inputs::error::DependencyError;
use crate::inputs::git::entry::Mode;
use crate::inputs::git::limits::FILE;
use crate::inputs::git::path::join;
use crate::inputs::store::StoreError;
use crate::lock::repository::Repository;

/// Most bytes that are staged of all repositories.
const STAGED: u64 = 8 << 30;
/// Most files and folders that are staged of all repositories.
const STAGED_ENTRIES: usize = 1_000_000;

/// Copies repositories from the store. The limits are for all copies: a submodule can be in many places.
pub(super) struct Copying<'a> {
    /// The folder that all copies are in.
    top: &'a Path,
    supply: &'a Supply<'a>,
    /// How many more bytes may be written.
    bytes: Cell<u64>,
    /// How many more files and folders may be made.
    entries: Cell<usize>,
}

impl<'a> Copying<'a> {
    /// Copies to places below `top`.
    pub(super) fn below(top: &'a Path, supply: &'a Supply<'a>) -> Self {
        Self {
            top,
            supply,
            bytes: Cell::new(STAGED),
            entries: Cell::new(STAGED_ENTRIES),
        }
    }

    /// Copies the files of a repository into the new folder `into`, and compares them with the locked digest.
    pub(super) fn one(&self, repository: &Repository, into: &Path) -> Result<(), DependencyError> {
        self.check_place(repository, into)?;
        let place = place(repository, self.supply);
        if place.is_dir() && self.copied(repository, &place, into)? == repository.sha256 {
            self.supply.store.used(place);
            return Ok(());
        }
        // It is missing or damaged.
        if into.exists() {
            fs::remove_dir_all(into).map_err(At::writing(into))?;
        }
        match self.supply.capsule {
            Some(capsule) => restored::restore(repository, capsule, self.supply)?,
            None => obtain_locked(repository, self.supply)?,
        }
        match self.copied(repository, &place, into)? == repository.sha256 {
            true => Ok(()),
            false => Err(StoreError::disturbed("files of a repository", &place).into()),
        }
    }

    /// Checks that nothing is at `into`, and that no folder around it is a link: the copy would be elsewhere. Links of a
    /// repository may lead anywhere, and a submodule may be below one.
    fn check_place(&self, repository: &Repository, into: &Path) -> Result<(), DependencyError> {
        let below = into.strip_prefix(self.top).unwrap_or(into);
        let mut place = self.top.to_owned();
        let mut parts = below.components().peekable();
        while let Some(part) = parts.next() {
            place.push(part);
            let is_free = match (place.symlink_metadata(), parts.peek()) {
                (Ok(found), Some(_)) => found.is_dir(),
                (Ok(_), None) => false,
                (Err(error), _) => error.kind() == io::ErrorKind::NotFound,
            };
            if !is_free {
                return Err(DependencyError::refused(
                    format_args!("staging {repository}: something else is at its place"),
                    "a submodule must not be below a symbolic link, or at the path of another file",
                ));
            }
        }
        Ok(())
    }

    /// Copies a folder. Returns the digest of what was written.
    fn copied(
        &self,
        repository: &Repository,
        from: &Path,
        into: &Path,
    ) -> Result<Digest, DependencyError> {
        let mut listing = Listing::of(&repository.submodules);
        fs::create_dir_all(into).map_err(At::writing(into))?;
        let mut open = vec![String::new()];
        while let Some(folder) = open.pop() {
            self.supply.interrupt.check()?;
            let place = from.join(&folder);
            let unread = At::reading(&place);
            for entry in fs::read_dir(&place).map_err(&unread)? {
                let entry = entry.map_err(&unread)?;
                let kind = entry.file_type().map_err(&unread)?;
                self.take(repository, 0)?;
                // Something else than what was written there has another digest.
                let Ok(name) = entry.file_name().into_string() else {
                    return Ok(Digest::of(b""));
                };
                let path = join(&folder, &name);
                let to = into.join(&path);
                if kind.is_dir() {
                    fs::create_dir_all(&to).map_err(At::writing(&to))?;
                    open.push(path);
                } else if kind.is_symlink() {
                    let target = fs::read_link(entry.path()).map_err(&unread)?;
                    symlink(&target, &to).map_err(At::writing(&to))?;
                    listing.add(path, Mode::Link, target.as_os_str().as_bytes());
                } else if kind.is_file() {
                    let (bytes, mode) = read(&entry.path()).map_err(&unread)?;
                    self.take(repository, bytes.len() as u64)?;
                    write(&to, &bytes, mode).map_err(At::writing(&to))?;
                    listing.add(path, mode, &bytes);
                } else {
                    return Ok(Digest::of(b""));
                }
            }
        }
        Ok(listing.digest())
    }

    /// Counts an entry, or the bytes of a file.
    fn take(&self, repository: &Repository, bytes: u64) -> Result<(), DependencyError> {
        let entries = self.entries.get().checked_sub(usize::from(bytes == 0));
        match (entries, self.bytes.get().checked_sub(bytes)) {
            (Some(entries), Some(bytes)) => {
                self.entries.set(entries);
                self.bytes.set(bytes);
                Ok(())
            }
            _ => Err(DependencyError::refused(
                format_args!(
                    "staging {repository}: all git repositories together have more than {STAGED_ENTRIES} files or {STAGED} bytes"
                ),
                "a submodule is counted at each place where it is",
            )),
        }
    }
}

fn read(path: &Path) -> io::Result<(Vec<u8>, Mode)> {
    let file = File::open(path)?;
    let mode = Mode::of_file(file.metadata()?.permissions().mode());
    let mut bytes = Vec::new();
    file.take(FILE + 1).read_to_end(&mut bytes)?;
    Ok((bytes, mode))
}

fn write(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.set_permissions(fs::Permissions::from_mode(mode.bits()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::inputs::store::Store;

    /// A repository of one file in the store.
    fn kept(supply: &Supply<'_>) -> Repository {
        let mut listing = Listing::of(&BTreeMap::new());
        listing.add("hook".to_owned(), Mode::Executable, b"evil");
        let repository = Repository {
            url: "https://host.example/s".to_owned().try_into().unwrap(),
            commit: "a".repeat(40).try_into().unwrap(),
            sha256: listing.digest(),
            submodules: BTreeMap::new(),
        };
        let folder = place(&repository, supply);
        fs::create_dir_all(&folder).unwrap();
        write(&folder.join("hook"), b"evil", Mode::Executable).unwrap();
        repository
    }

    fn with(bytes: u64, check: impl FnOnce(&Repository, &Copying<'_>)) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        let supply = Supply::of(&store);
        let top = folder.path().join("top");
        fs::create_dir_all(top.join("tree/real")).unwrap();
        let copying = Copying {
            top: &top,
            supply: &supply,
            bytes: Cell::new(bytes),
            entries: Cell::new(100),
        };
        check(&kept(&supply), &copying);
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        with(100, |repository, copying| {
            let outside = tempfile::tempdir().unwrap();
            let tree = copying.top.join("tree");
            symlink(outside.path(), tree.join("evil")).unwrap();
            fs::write(tree.join("file"), "").unwrap();
            for path in ["evil", "evil/sub", "evil/a/b", "real", "file", "file/sub"] {
                let refused = copying.one(repository, &tree.join(path)).unwrap_err();
                let refused = refused.to_string();
                assert!(
                    refused.contains("something else is at its place"),
                    "{path}: {refused}"
                );
            }
            assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
            copying.one(repository, &tree.join("real/sub")).unwrap();
            assert_eq!(fs::read(tree.join("real/sub/hook")).unwrap(), b"evil");
        });
    }

    #[test]
    fn all_copies_together_have_a_limit() {
        with(7, |repository, copying| {
            copying.one(repository, &copying.top.join("one")).unwrap();
            let refused = copying.one(repository, &copying.top.join("two"));
            let refused = refused.unwrap_err().to_string();
            assert!(
                refused.contains("all git repositories together"),
                "{refused}"
            );
        });
    }
}
