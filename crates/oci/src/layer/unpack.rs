//! Unpacks a layer to a directory, never outside of it.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

use content::Digest;
use content::at::At;

use super::fault::{self, at, unreadable};
use super::overlay::{OPAQUE, WHITEOUT};
use super::{EntryPath, Member, MemberKind, read};
use crate::Error;

/// Who owns unpacked files.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Owners {
    /// The user of this process. Directories are writable for it.
    Process,
    /// The users and groups of the headers, as far as this process may give files to them.
    Headers,
}

/// Unpacks a layer into `dir`, over the lower layers, and returns its diff ID. Files get the mode bits of
/// their headers, without set-user-ID, set-group-ID and, except for directories of other owners, sticky. Nothing is
/// written through a link. No other process may change `dir` at the same time. If unpacking fails, `dir`
/// contains a part of the layer.
///
/// # Errors
/// Those of [`read()`]; an entry below a link or file of another layer; a hard link whose target
/// is not a file; a file that cannot be written.
pub fn unpack(blob: impl Read, dir: &Path, owners: Owners) -> Result<Digest, Error> {
    let mut target = Target {
        owners,
        ..Target::new(dir)
    };
    read(blob, |member, content| target.put(member, content))
}

pub(super) struct Target<'a> {
    dir: &'a Path,
    owners: Owners,
    /// The paths of this layer's entries, and their parents. Its own whiteouts do not remove them.
    own: HashSet<PathBuf>,
}

impl<'a> Target<'a> {
    pub(super) fn new(dir: &'a Path) -> Self {
        let own = HashSet::new();
        Self {
            dir,
            owners: Owners::Process,
            own,
        }
    }

    pub(super) fn put(&mut self, member: &Member, content: &mut dyn Read) -> Result<(), Error> {
        let path = self.prepare(&member.path)?;
        let name = member.path.as_str().rsplit('/').next().unwrap_or_default();
        if name == OPAQUE {
            let parent = path.parent().unwrap_or(self.dir).to_owned();
            return self.clear(&parent);
        }
        if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            return self.hide(member, &path, hidden);
        }
        match &member.kind {
            MemberKind::Directory => make_directory(&path, member.mode)?,
            MemberKind::File { .. } => write_file(&path, member.mode, content)?,
            MemberKind::Symlink { target } => {
                make_room(&path)?;
                symlink(target, &path).map_err(At::writing(&path))?;
            }
            MemberKind::HardLink { target } => self.link(member, &path, target)?,
        }
        if self.owners == Owners::Headers {
            give(&path, member).map_err(At::writing(&path))?;
        }
        self.own.insert(path);
        Ok(())
    }

    /// Creates the parent directories of `path` and returns its path on disk.
    fn prepare(&mut self, path: &EntryPath) -> Result<PathBuf, Error> {
        let mut place = self.dir.to_owned();
        let mut parts = path.as_str().split('/').peekable();
        while let Some(part) = parts.next() {
            place.push(part);
            if parts.peek().is_none() {
                break;
            }
            if !self.is_directory(path, &place)? {
                make_directory(&place, 0o755)?;
            }
            self.own.insert(place.clone());
        }
        Ok(place)
    }

    fn is_directory(&self, path: &EntryPath, place: &Path) -> Result<bool, Error> {
        match kind(place)? {
            None => Ok(false),
            Some(kind) if kind.is_dir() => Ok(true),
            Some(_) => Err(at(path.as_str(), fault::PARENT)),
        }
    }

    fn link(&self, member: &Member, path: &Path, target: &EntryPath) -> Result<(), Error> {
        let fault = || at(member.path.as_str(), fault::hard_link(target.as_str()));
        let mut source = self.dir.to_owned();
        let mut parts = target.as_str().split('/').peekable();
        while let Some(part) = parts.next() {
            source.push(part);
            let kind = kind(&source)?.ok_or_else(fault)?;
            let expected = match parts.peek() {
                Some(_) => kind.is_dir(),
                None => kind.is_file(),
            };
            if !expected {
                return Err(fault());
            }
        }
        // Otherwise, the target would be removed with what is at `path`.
        if source.starts_with(path) {
            return Err(fault());
        }
        make_room(path)?;
        Ok(fs::hard_link(&source, path).map_err(At::writing(path))?)
    }

    /// Removes the file or directory that a whiteout at `path` names.
    fn hide(&self, member: &Member, path: &Path, hidden: &str) -> Result<(), Error> {
        let place = path.with_file_name(hidden);
        if matches!(hidden, "" | "." | "..") || self.own.contains(&place) {
            return Err(at(member.path.as_str(), fault::PATH));
        }
        Ok(make_room(&place)?)
    }

    /// Removes the contents of a directory that come from lower layers.
    fn clear(&self, dir: &Path) -> Result<(), Error> {
        for entry in fs::read_dir(dir).map_err(At::reading(dir))? {
            let path = entry.map_err(At::reading(dir))?.path();
            let is_directory = kind(&path)?.is_some_and(|kind| kind.is_dir());
            match (self.own.contains(&path), is_directory) {
                (false, _) => make_room(&path)?,
                (true, true) => self.clear(&path)?,
                (true, false) => {}
            }
        }
        Ok(())
    }
}

/// Gives a file to the user and group of its header. Users that the namespace of this process does not have, or to which
/// it may give no files, get none.
fn give(path: &Path, member: &Member) -> io::Result<()> {
    let (Ok(uid), Ok(gid)) = (member.uid.try_into(), member.gid.try_into()) else {
        return Ok(());
    };
    match lchown(path, Some(uid), Some(gid)) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::PermissionDenied
            ) =>
        {
            Ok(())
        }
        Err(error) => Err(error),
        Ok(()) => match member.kind {
            MemberKind::Directory => {
                fs::set_permissions(path, Permissions::from_mode(member.mode & 0o1777))
            }
            _ => Ok(()),
        },
    }
}

/// The type of the file at `path`, without following a link; `None` if there is none.
fn kind(path: &Path) -> Result<Option<fs::FileType>, At> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata.file_type())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(At::reading(path)(error)),
    }
}

/// Removes the file or directory at `path`, if there is one.
fn make_room(path: &Path) -> Result<(), At> {
    match kind(path)? {
        None => Ok(()),
        Some(kind) if kind.is_dir() => fs::remove_dir_all(path),
        Some(_) => fs::remove_file(path),
    }
    .map_err(At::writing(path))
}

/// Creates a directory. It stays writable for its owner, so that entries can be added later.
fn make_directory(path: &Path, mode: u32) -> Result<(), At> {
    if !kind(path)?.is_some_and(|kind| kind.is_dir()) {
        make_room(path)?;
        fs::create_dir(path).map_err(At::writing(path))?;
    }
    let mode = Permissions::from_mode(mode & 0o777 | 0o700);
    fs::set_permissions(path, mode).map_err(At::writing(path))
}

fn write_file(path: &Path, mode: u32, content: &mut dyn Read) -> Result<(), Error> {
    make_room(path)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(At::writing(path))?;
    copy(path, &mut file, content)?;
    file.set_permissions(Permissions::from_mode(mode & 0o777))
        .map_err(At::writing(path))?;
    Ok(())
}

/// Copies content to a file. Unlike [`io::copy`], it distinguishes errors of reading and of writing.
fn copy(path: &Path, file: &mut File, content: &mut dyn Read) -> Result<(), Error> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = content.read(&mut buffer).map_err(unreadable)?;
        if count == 0 {
            return Ok(());
        }
        io::Write::write_all(file, &buffer[..count]).map_err(At::writing(path))?;
    }
}
