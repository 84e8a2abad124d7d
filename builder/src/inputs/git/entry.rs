//! The entries of a folder in a commit.

use std::collections::BTreeMap;

use super::error::{SourceError, answer, large, not_plain, reading};
use super::limits::PATH;
use super::name::ObjectName;
use super::path::{SourcePath, join};
use crate::untrusted::shown;

/// The part of a mode that is the kind of an entry, and the kinds (git's documentation, "gitformat-index").
const KIND: u32 = 0o170_000;
const FOLDER: u32 = 0o040_000;
pub(super) const FILE: u32 = 0o100_000;
pub(super) const LINK: u32 = 0o120_000;
pub(super) const SUBMODULE: u32 = 0o160_000;

/// A file of the commit, or a symbolic link.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) path: SourcePath,
    pub(super) object: ObjectName,
    pub(super) mode: Mode,
}

/// The mode of a file. git stores nothing else of it than whether it is executable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mode {
    Plain,
    Executable,
    Link,
    Submodule,
}

impl Mode {
    pub(super) fn of_file(mode: u32) -> Self {
        match mode & 0o100 {
            0 => Self::Plain,
            _ => Self::Executable,
        }
    }

    /// The mode of the staged file, which the digest of the source covers. That of a link is git's.
    pub(super) fn bits(self) -> u32 {
        match self {
            Self::Plain => 0o644,
            Self::Executable => 0o755,
            Self::Link => LINK,
            Self::Submodule => SUBMODULE,
        }
    }
}

/// An entry of a folder in the commit.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    Folder(ObjectName),
    File(ObjectName, Mode),
    Link(ObjectName),
    /// A submodule, by its commit.
    Submodule(ObjectName),
    /// Something else, by its mode.
    Other(u32),
}

pub(super) fn file(path: &str, entry: &Entry) -> Result<Listed, SourceError> {
    match entry {
        Entry::Link(_) => Err(kind(path, LINK)),
        other => file_or_link(path, other),
    }
}

pub(super) fn file_or_link(path: &str, entry: &Entry) -> Result<Listed, SourceError> {
    let (object, mode) = match entry {
        Entry::File(object, mode) => (*object, *mode),
        Entry::Link(object) => (*object, Mode::Link),
        Entry::Folder(_) => return Err(kind(path, FOLDER)),
        Entry::Submodule(_) => return Err(kind(path, SUBMODULE)),
        Entry::Other(mode) => return Err(kind(path, *mode)),
    };
    Ok(Listed {
        path: SourcePath::parse(path)?,
        object,
        mode,
    })
}

/// A file, link or submodule.
pub(super) fn listed(path: &str, entry: &Entry) -> Result<Listed, SourceError> {
    match entry {
        Entry::Submodule(commit) => Ok(Listed {
            path: SourcePath::parse(path)?,
            object: *commit,
            mode: Mode::Submodule,
        }),
        other => file_or_link(path, other),
    }
}

pub(super) fn kind(path: &str, mode: u32) -> SourceError {
    let path = shown(path);
    let kind = match mode {
        LINK => reading(format_args!(
            "{path} is a symbolic link, and must be a file or folder"
        ))
        .hinting("commit the file itself in place of the link"),
        SUBMODULE => reading(format_args!(
            "{path} is a submodule, whose files are not staged"
        ))
        .hinting(
            "commit its files in place of the submodule, or use its crate as a git dependency",
        ),
        _ => reading(format_args!(
            "{path} has git mode {mode:06o}; only files can be staged"
        ))
        .hinting("name a file"),
    };
    SourceError::Refused(kind)
}

/// Parses a tree: `<mode> <name>\0<object>` for each entry (git's documentation, "gitformat-pack").
pub(super) fn parse(
    folder: &str,
    bytes: &[u8],
    length: usize,
) -> Result<BTreeMap<String, Entry>, SourceError> {
    let mut entries = BTreeMap::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (name, entry);
        (name, entry, rest) = one(folder, rest, length)?;
        let path = join(folder, &name);
        if path.len() > PATH {
            let path = shown(&path);
            return Err(large(format_args!(
                "a path has more than {PATH} bytes: {path}"
            )));
        }
        if entries.insert(name, entry).is_some() {
            return Err(SourceError::Refused(reading(format_args!(
                "the commit has two files at {}",
                shown(&path)
            ))));
        }
    }
    Ok(entries)
}

fn one<'a>(
    folder: &str,
    bytes: &'a [u8],
    length: usize,
) -> Result<(String, Entry, &'a [u8]), SourceError> {
    let answer = || answer(format_args!("not a tree, at {folder}"));
    let space = bytes.iter().position(|byte| *byte == b' ');
    let (mode, rest) = bytes.split_at(space.ok_or_else(answer)?);
    let end = rest.iter().position(|byte| *byte == 0);
    let (name, rest) = rest.split_at(end.ok_or_else(answer)?);
    let (object, rest) = rest[1..].split_at_checked(length).ok_or_else(answer)?;
    let object = ObjectName::from_bytes(object).ok_or_else(answer)?;
    let mode = str::from_utf8(mode).ok();
    let mode = mode.and_then(|mode| u32::from_str_radix(mode, 8).ok());
    let entry = match mode.ok_or_else(answer)? {
        mode if mode & KIND == FOLDER => Entry::Folder(object),
        mode if mode & KIND == FILE => Entry::File(object, Mode::of_file(mode)),
        mode if mode & KIND == LINK => Entry::Link(object),
        mode if mode & KIND == SUBMODULE => Entry::Submodule(object),
        mode => Entry::Other(mode),
    };
    Ok((plain(folder, &name[1..])?, entry, rest))
}

/// The name of an entry. It must be one plain name, without slashes.
fn plain(folder: &str, name: &[u8]) -> Result<String, SourceError> {
    let path = || join(folder, &String::from_utf8_lossy(name));
    let refused = || not_plain(&path());
    let name = str::from_utf8(name).map_err(|_| refused())?;
    match !name.contains('/') && SourcePath::parse(name).is_ok() {
        true => Ok(name.to_owned()),
        false => Err(refused()),
    }
}
