//! Paths in a repository. A commit is untrusted: its trees may have an entry named `..`, although git never writes one.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use super::error::{SourceError, not_plain};

/// git's own folder. Some file systems ignore case.
const GIT: &str = ".git";

/// A relative path of plain names only, so that it stays below its folder.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct SourcePath(String);

impl SourcePath {
    /// Parses names with slashes between them, as git writes a path.
    ///
    /// # Errors
    /// It is empty or absolute, or one of its names is empty, `.`, `..` or `.git`, or contains a NUL.
    pub(super) fn parse(text: &str) -> Result<Self, SourceError> {
        match text.split('/').all(is_plain) {
            true => Ok(Self(text.to_owned())),
            false => Err(not_plain(text)),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of the folder that it is in, which is `""` for the repository itself.
    pub(super) fn folder(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
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

/// The path of `name` in `folder`; `""` is the top folder of the repository.
pub(super) fn join(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}

/// The path that git has written as one line.
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
    fn only_plain_names_are_allowed() {
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
            let refused = SourcePath::parse(path).unwrap_err();
            let path = crate::untrusted::shown(path);
            let expected = format!(
                "reading source: \"{path}\" in the commit is not a plain path below its repository"
            );
            assert_eq!(refused.to_string(), expected);
            assert!(refused.is_refusal());
        }
    }
}
