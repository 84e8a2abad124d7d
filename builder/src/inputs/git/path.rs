//! Paths of a repository. A commit is whoever's it is, and git lists what its trees say: a tree may name
//! an entry `..`, as no git would ever write one.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use super::error::SourceError;

/// git's own folder, which a file system may know by any case.
const GIT: &str = ".git";

/// A path relative to a folder, of plain names only: it stays below that folder.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct SourcePath(String);

impl SourcePath {
    /// Parses a path as git writes it: names with slashes between them.
    ///
    /// # Errors
    /// It is empty or absolute, or one of its names is empty, `.`, `..`, `.git` or no name of a file.
    pub(super) fn parse(text: &str) -> Result<Self, SourceError> {
        match text.split('/').all(is_plain) {
            true => Ok(Self(text.to_owned())),
            false => Err(SourceError::Path {
                path: text.to_owned(),
            }),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<Path> for SourcePath {
    fn as_ref(&self) -> &Path {
        self.0.as_ref()
    }
}

impl fmt::Display for SourcePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The path of `name` in `folder`, which is `""` for the repository itself.
pub(super) fn join(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}

/// A path that git has written on a line of its own.
pub(super) fn path_of(mut output: Vec<u8>) -> PathBuf {
    if output.last() == Some(&b'\n') {
        output.pop();
    }
    OsString::from_vec(output).into()
}

fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.eq_ignore_ascii_case(GIT) && !name.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_plain_one() {
        for path in ["a", "a/b.rs", "a/..b/.gitignore", "a b/\u{e9}"] {
            assert_eq!(SourcePath::parse(path).unwrap().as_str(), path);
        }
        for path in [
            "",
            "/a",
            "a/",
            "a//b",
            ".",
            "a/./b",
            "..",
            "a/../b",
            "../a",
            ".git",
            "a/.git/hooks/x",
            "a/.GIT/x",
            "a\0b",
        ] {
            let refused = SourcePath::parse(path);
            assert!(matches!(refused, Err(SourceError::Path { .. })), "{path:?}");
        }
    }
}
