//! Entries of a layer to be written, and the rules for their paths and links.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::fault::{self, Fault};
use crate::Error;

/// Maximum size of one part of a path, in bytes (Linux, `NAME_MAX`).
const NAME_LIMIT: usize = 255;
/// Maximum size of a path, in bytes (Linux, `PATH_MAX` without the NUL).
pub(crate) const PATH_LIMIT: usize = 4095;

/// One file, directory or link of a layer, with the properties that format v1 has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The path in the image.
    pub path: EntryPath,
    /// The type, with its content or target.
    pub kind: Kind,
}

/// The type of an entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A directory, mode 0755.
    Directory,
    /// A regular file.
    File {
        /// The file's bytes.
        content: Content,
        /// Mode 0755 or 0644.
        executable: Executable,
    },
    /// A symbolic link, mode 0777.
    Symlink {
        /// The target: relative to the link, or absolute from the image's root.
        target: String,
    },
}

/// The source of a file's bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Content {
    /// Bytes in memory.
    Bytes(Vec<u8>),
    /// A regular file, which is read while the layer is written.
    File(PathBuf),
}

/// Whether a file is executable: the only part of its mode that format v1 keeps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Executable {
    /// Mode 0755.
    Yes,
    /// Mode 0644.
    No,
}

/// Maximum number of a user or group: what seven octal digits can say (format v2).
const ID_LIMIT: u32 = 0o7_777_777;
/// The mode bits that a directory may have: those of user, group and others, and the sticky bit (format v2).
const DIRECTORY_MODE: u32 = 0o1777;
/// The mode bits that a file may have: those of user, group and others (format v2).
const FILE_MODE: u32 = 0o777;

/// An entry with the attributes that format v2 adds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attributed {
    /// The entry.
    pub entry: Entry,
    /// Its attributes.
    pub attributes: Attributes,
}

/// Owner and mode of an entry. By default they are those of format v1.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Attributes {
    /// The user and group that own it.
    pub owner: Owner,
    /// The mode, if it is not that of format v1. Links have none.
    pub mode: Option<Mode>,
}

/// The numbers of the user and the group that own an entry.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Owner {
    uid: u32,
    gid: u32,
}

/// The mode bits of a file or directory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mode(u32);

/// A number that format v2 does not allow as an owner or mode.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidAttribute {
    /// The number of a user or group.
    #[error("{0} is not the number of a user or group: it is more than {ID_LIMIT}")]
    Id(u32),
    /// A mode.
    #[error("{0:o} is not a mode: only the bits 1777 are allowed, which exclude setuid and setgid")]
    Mode(u32),
}

impl From<Entry> for Attributed {
    fn from(entry: Entry) -> Self {
        Self {
            entry,
            attributes: Attributes::default(),
        }
    }
}

impl Owner {
    /// The owner with these numbers.
    ///
    /// # Errors
    /// A number is more than 2097151.
    pub fn new(uid: u32, gid: u32) -> Result<Self, InvalidAttribute> {
        match [uid, gid].into_iter().find(|id| *id > ID_LIMIT) {
            Some(id) => Err(InvalidAttribute::Id(id)),
            None => Ok(Self { uid, gid }),
        }
    }

    /// The number of the user.
    pub fn uid(self) -> u32 {
        self.uid
    }

    /// The number of the group.
    pub fn gid(self) -> u32 {
        self.gid
    }
}

impl Mode {
    /// The mode with these bits.
    ///
    /// # Errors
    /// There are other bits than `1777`.
    pub fn new(bits: u32) -> Result<Self, InvalidAttribute> {
        match bits & !DIRECTORY_MODE {
            0 => Ok(Self(bits)),
            _ => Err(InvalidAttribute::Mode(bits)),
        }
    }

    /// The bits.
    pub fn bits(self) -> u32 {
        self.0
    }
}

/// Refuses a mode that the kind of entry cannot have.
pub(crate) fn check_mode(kind: &Kind, mode: Option<Mode>) -> Result<(), Fault> {
    let is_allowed = |Mode(bits)| match kind {
        Kind::Directory => true,
        Kind::File { .. } => bits & !FILE_MODE == 0,
        Kind::Symlink { .. } => false,
    };
    match mode.is_none_or(is_allowed) {
        true => Ok(()),
        false => Err(fault::MODE),
    }
}

/// A path in an image: parts joined by `/`, none of them empty, `.` or `..`, no `/` at either end.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EntryPath(String);

impl EntryPath {
    /// The path's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The directory that holds this path; `None` for the image's root.
    pub fn parent(&self) -> Option<Self> {
        let (parent, _) = self.0.rsplit_once('/')?;
        Some(Self(parent.to_owned()))
    }

    /// The directories that hold this path, from the nearest to the highest below the root.
    pub(crate) fn parents(&self) -> impl Iterator<Item = &str> {
        fn parent(path: &str) -> Option<&str> {
            path.rsplit_once('/').map(|(parent, _)| parent)
        }
        std::iter::successors(parent(&self.0), |path| parent(path))
    }

    /// One of the [`Self::parents`] of a path.
    pub(crate) fn of_parent(parent: &str) -> Self {
        Self(parent.to_owned())
    }

    /// Whether this path is `other`, or below it.
    pub(crate) fn starts_with(&self, other: &Self) -> bool {
        let rest = self.0.strip_prefix(other.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Parses a path in an archive of another tool: leading `./` and trailing `/` are removed. `None` for the
    /// root itself.
    pub(crate) fn from_archive(text: &str) -> Result<Option<Self>, Fault> {
        let mut rest = text;
        while let Some(shorter) = rest.strip_prefix("./") {
            rest = shorter.trim_start_matches('/');
        }
        rest = rest.trim_end_matches('/');
        if (rest.is_empty() && text.starts_with("./")) || rest == "." {
            return Ok(None);
        }
        check(rest).map(|()| Some(Self(rest.to_owned())))
    }
}

impl FromStr for EntryPath {
    type Err = Error;

    /// Parses a path, with or without one leading `/`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let path = text.strip_prefix('/').unwrap_or(text);
        match check(path) {
            Ok(()) => Ok(Self(path.to_owned())),
            Err(fault) => Err(fault::at(text, fault)),
        }
    }
}

impl fmt::Display for EntryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(path: &str) -> Result<(), Fault> {
    if path.len() > PATH_LIMIT {
        return Err(fault::path_length(PATH_LIMIT));
    }
    for part in path.split('/') {
        if matches!(part, "" | "." | "..") || part.contains('\0') {
            return Err(fault::PATH);
        }
        if part.len() > NAME_LIMIT {
            return Err(fault::path_length(NAME_LIMIT));
        }
    }
    Ok(())
}

/// Refuses a path or target with a control character, which could control a terminal or break a line where
/// the path is printed.
pub(crate) fn check_printable(text: &str) -> Result<(), Fault> {
    match text.contains(char::is_control) {
        true => Err(fault::CONTROL),
        false => Ok(()),
    }
}

/// Refuses a link at `path` whose target leaves the root: an absolute target starts at the image's root, a
/// relative one at the link's own directory.
pub(crate) fn check_link(path: &EntryPath, target: &str) -> Result<(), Fault> {
    let fault = || fault::link(target);
    if target.is_empty() || target.len() > PATH_LIMIT || target.contains('\0') {
        return Err(fault::LINK);
    }
    let mut depth = match target.starts_with('/') {
        true => 0,
        false => path.as_str().matches('/').count(),
    };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => depth = depth.checked_sub(1).ok_or_else(fault)?,
            _ => depth += 1,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_plain() {
        for (text, expected) in [("/a", "a"), ("a/b", "a/b"), ("a/é b", "a/é b")] {
            assert_eq!(text.parse::<EntryPath>().unwrap().as_str(), expected);
        }
        let fault = |text: &str| match text.parse::<EntryPath>() {
            Err(Error::Invalid { fault, .. }) => fault,
            other => panic!("{text:?}: {other:?}"),
        };
        for text in [
            "", "/", "//a", "a/", "a//b", ".", "./a", "..", "a/../b", "a\0b",
        ] {
            assert_eq!(
                fault(text),
                "path is not a plain path below the root",
                "{text:?}"
            );
        }
        assert_eq!(fault(&"a".repeat(256)), "path is longer than 255 bytes");
        assert_eq!(fault(&"a/".repeat(2049)), "path is longer than 4095 bytes");
    }

    #[test]
    fn attributes_have_limits() {
        assert_eq!(Owner::new(ID_LIMIT, 0).unwrap().uid(), 2_097_151);
        let refused = Owner::new(0, ID_LIMIT + 1).unwrap_err().to_string();
        assert!(
            refused.starts_with("2097152 is not the number of"),
            "{refused}"
        );
        let mode = |bits| Some(Mode::new(bits).unwrap());
        let refused = Mode::new(0o4755).unwrap_err().to_string();
        assert!(refused.starts_with("4755 is not a mode"), "{refused}");
        let target = "b".to_owned();
        let link = Kind::Symlink { target };
        let file = Kind::File {
            content: Content::Bytes(Vec::new()),
            executable: Executable::No,
        };
        assert_eq!(check_mode(&Kind::Directory, mode(0o1777)), Ok(()));
        assert_eq!(check_mode(&file, mode(0o640)), Ok(()));
        assert_eq!(check_mode(&link, None), Ok(()));
        assert_eq!(check_mode(&file, mode(0o1777)), Err(fault::MODE));
        assert_eq!(check_mode(&link, mode(0o777)), Err(fault::MODE));
    }

    #[test]
    fn archive_paths_are_normalised() {
        let read = |text| EntryPath::from_archive(text).map(|p| p.map(|p| p.0));
        assert_eq!(read("./a/b/"), Ok(Some("a/b".into())));
        assert_eq!(read("./"), Ok(None));
        assert_eq!(read("."), Ok(None));
        for text in ["", "/", "/a", "../a", "a/../../b", "./../a", "a/./b"] {
            assert_eq!(read(text), Err(fault::PATH), "{text:?}");
        }
    }

    #[test]
    fn links_stay_below_the_root() {
        let path: EntryPath = "usr/bin/x".parse().unwrap();
        for target in ["y", "../lib/y", "../../etc/y", "/etc/y", "/a/../b"] {
            assert_eq!(check_link(&path, target), Ok(()), "{target}");
        }
        assert_eq!(check_link(&path, ""), Err(fault::LINK));
        for target in ["../../../y", "/..", "/a/../../b", "a/../../../../x/y/z"] {
            assert_eq!(check_link(&path, target), Err(fault::link(target)));
        }
    }
}
