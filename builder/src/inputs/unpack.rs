//! Unpacks archives into a folder, and writes nothing outside of it. No link is followed.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Component, Path, PathBuf};

use super::members::{Member, Members};
use crate::at::At;
use crate::interrupt::{Interrupt, Interrupted};

/// Maximum number of entries of an archive.
const ENTRIES: usize = 1_000_000;
/// Most bytes of the files that hard links name.
const COPIED: u64 = 4 << 30;

/// Why an archive is not unpacked.
#[derive(Debug, thiserror::Error)]
pub(in crate::inputs) enum Fault {
    /// It is not an archive, or has an entry that is not unpacked.
    #[error("{0}")]
    Wrong(String),
    /// A file cannot be written.
    #[error(transparent)]
    At(#[from] At),
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// What an entry becomes.
pub(in crate::inputs) enum Entry<'a> {
    /// A folder.
    Folder,
    /// A file.
    File {
        /// Its bytes.
        content: &'a mut dyn Read,
        /// Whether it can be executed.
        is_program: bool,
    },
    /// A symbolic link to this target.
    Link(PathBuf),
    /// A copy of an earlier entry with this path.
    Copy(PathBuf),
}

/// Given the parts of an entry's path, how many leading ones are left out; `None` if the entry is.
pub(in crate::inputs) type Select<'a> = &'a dyn Fn(&[&OsStr]) -> Option<usize>;

/// Unpacks into a folder that may contain the files of other archives.
pub(in crate::inputs) struct Unpacker<'a> {
    folder: &'a Path,
    interrupt: &'a Interrupt,
    select: Select<'a>,
    made: HashSet<PathBuf>,
    entries: usize,
    copied: u64,
}

impl<'a> Unpacker<'a> {
    pub(in crate::inputs) fn new(
        folder: &'a Path,
        interrupt: &'a Interrupt,
        select: Select<'a>,
    ) -> Self {
        Self {
            folder,
            interrupt,
            select,
            made: HashSet::new(),
            entries: 0,
            copied: 0,
        }
    }

    /// Unpacks a tar archive. The caller limits its size.
    ///
    /// # Errors
    /// See [`Fault`].
    pub(in crate::inputs) fn tar(&mut self, reader: impl Read) -> Result<(), Fault> {
        let mut archive = tar::Archive::new(reader);
        for member in Members::of(&mut archive).map_err(wrong)? {
            self.tar_member(member.map_err(wrong)?)?;
        }
        Ok(())
    }

    fn tar_member(&mut self, member: Member<'_, impl Read>) -> Result<(), Fault> {
        let (path, target, mut entry) = (member.path, member.target, member.entry);
        let target = || target.ok_or_else(|| wrong("a link without a target"));
        let is_program = entry.header().mode().map_err(wrong)? & 0o111 != 0;
        match entry.header().entry_type() {
            tar::EntryType::Directory => self.put(&path, Entry::Folder),
            tar::EntryType::Regular | tar::EntryType::Continuous => {
                let content = &mut entry;
                self.put(
                    &path,
                    Entry::File {
                        content,
                        is_program,
                    },
                )
            }
            tar::EntryType::Symlink => self.put(&path, Entry::Link(target()?)),
            tar::EntryType::Link => self.put(&path, Entry::Copy(target()?)),
            // A comment on the whole archive, such as the commit that `git archive` notes.
            tar::EntryType::XGlobalHeader => Ok(()),
            kind => match self.place(&path)? {
                Some(place) => Err(wrong(format_args!("{} is a {kind:?}", place.display()))),
                None => Ok(()),
            },
        }
    }

    /// Writes an entry.
    ///
    /// # Errors
    /// See [`Fault`].
    pub(in crate::inputs) fn put(&mut self, path: &Path, entry: Entry<'_>) -> Result<(), Fault> {
        self.interrupt.check()?;
        self.entries += 1;
        if self.entries > ENTRIES {
            return Err(wrong(format_args!("more than {ENTRIES} entries")));
        }
        let Some(place) = self.place(path)? else {
            return Ok(());
        };
        match entry {
            Entry::Folder => self.folder(&place),
            Entry::File {
                content,
                is_program,
            } => {
                let mode = if is_program { 0o755 } else { 0o644 };
                regular(content, mode, &place)
            }
            Entry::Link(target) => {
                clear(&place)?;
                Ok(symlink(target, &place).map_err(At::writing(&place))?)
            }
            Entry::Copy(target) => self.copy(&target, &place),
        }
    }

    /// A hard link becomes a copy.
    fn copy(&mut self, target: &Path, place: &Path) -> Result<(), Fault> {
        let from = self.place(target)?;
        let from = from.ok_or_else(|| wrong("a hard link to a file that is not unpacked"))?;
        // Its parents are folders: they have been made.
        let found = fs::symlink_metadata(&from).map_err(At::writing(&from))?;
        if !found.is_file() {
            return Err(wrong(format_args!(
                "{} is the target of a hard link, and not a regular file",
                from.display()
            )));
        }
        // The size of the archive does not limit what links to its files add.
        self.copied = self.copied.saturating_add(found.len());
        if self.copied > COPIED {
            return Err(wrong(format_args!(
                "hard links to files of more than {COPIED} bytes"
            )));
        }
        clear(place)?;
        fs::copy(&from, place).map_err(At::writing(place))?;
        Ok(())
    }

    /// The place of an entry, below folders that exist; `None` if it is left out or is the folder itself.
    fn place(&mut self, path: &Path) -> Result<Option<PathBuf>, Fault> {
        let mut parts = Vec::new();
        for component in path.components() {
            match component {
                Component::CurDir | Component::RootDir => {}
                Component::Normal(part) => parts.push(part),
                _ => return Err(wrong(format_args!("{} leaves the root", path.display()))),
            }
        }
        let Some(left_out) = (self.select)(&parts) else {
            return Ok(None);
        };
        let Some((last, parents)) = parts.get(left_out..).and_then(|parts| parts.split_last())
        else {
            return Ok(None);
        };
        let mut place = self.folder.to_owned();
        for parent in parents {
            place.push(parent);
            self.folder(&place)?;
        }
        place.push(last);
        Ok(Some(place))
    }

    /// Makes a folder. A link in its place is refused.
    fn folder(&mut self, path: &Path) -> Result<(), Fault> {
        if self.made.contains(path) {
            return Ok(());
        }
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err(wrong(format_args!("{} is not a folder", path.display()))),
            Err(_) => {
                fs::create_dir(path).map_err(At::writing(path))?;
                let mode = fs::Permissions::from_mode(0o755);
                fs::set_permissions(path, mode).map_err(At::writing(path))?;
            }
        }
        self.made.insert(path.to_owned());
        Ok(())
    }
}

fn regular(content: &mut dyn Read, mode: u32, place: &Path) -> Result<(), Fault> {
    clear(place)?;
    let mut file = File::create_new(place).map_err(At::writing(place))?;
    io::copy(content, &mut file).map_err(At::writing(place))?;
    let mode = fs::Permissions::from_mode(mode);
    Ok(fs::set_permissions(place, mode).map_err(At::writing(place))?)
}

/// Removes an earlier file.
fn clear(place: &Path) -> Result<(), Fault> {
    match fs::remove_file(place) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(At::writing(place)(error).into())
        }
        _ => Ok(()),
    }
}

fn wrong(reason: impl ToString) -> Fault {
    Fault::Wrong(reason.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hard_links_have_a_limit_of_their_own() {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(1);
        archive.append_data(&mut header, "file", &b"x"[..]).unwrap();
        header.set_entry_type(tar::EntryType::Link);
        header.set_size(0);
        archive.append_link(&mut header, "link", "file").unwrap();
        let archive = archive.into_inner().unwrap();
        let unpacked = |copied| {
            let folder = tempfile::tempdir().unwrap();
            let interrupt = Interrupt::default();
            let mut unpacker = Unpacker::new(folder.path(), &interrupt, &|_| Some(0));
            unpacker.copied = copied;
            unpacker.tar(&archive[..])
        };
        unpacked(COPIED - 1).unwrap();
        let refused = unpacked(COPIED).unwrap_err().to_string();
        assert!(refused.contains("hard links"), "{refused}");
    }
}
