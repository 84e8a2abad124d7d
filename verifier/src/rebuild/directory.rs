//! The directory of the source that is built: no link on the way to it is followed, since what a link
//! leads to would be built under another name than it has.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use super::error::RebuildError;
use crate::commit::Commit;

/// What the source has where the directory should be.
pub(super) enum Directory {
    /// A directory, here.
    Plain(PathBuf),
    /// A symbolic link there or above, by its path in the source.
    Linked(String),
}

/// Looks for the directory below `clone`: the caller named it, so that its absence says nothing about
/// the image.
///
/// # Errors
/// It is not there, or leads out of the source.
pub(super) fn find(
    clone: &Path,
    directory: &str,
    commit: &Commit,
) -> Result<Directory, RebuildError> {
    let missing = || RebuildError::NoDirectory {
        directory: directory.to_owned(),
        commit: commit.clone(),
    };
    let mut here = clone.to_owned();
    for name in names(directory).ok_or_else(missing)? {
        here.push(name);
        let found = std::fs::symlink_metadata(&here);
        let found = found.map_err(|source| match source.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => missing(),
            _ => RebuildError::Read {
                path: here.clone(),
                source,
            },
        })?;
        if found.is_symlink() {
            let link = here.strip_prefix(clone).unwrap_or(&here);
            return Ok(Directory::Linked(link.to_string_lossy().into_owned()));
        }
        if !found.is_dir() {
            return Err(missing());
        }
    }
    Ok(Directory::Plain(here))
}

/// Compares the directory that was ordered with the one that was built.
///
/// # Errors
/// They are not the same one.
pub(super) fn compare(ordered: &str, built: Option<&str>) -> Result<(), RebuildError> {
    match built.is_some_and(|built| names(built) == names(ordered)) {
        true => Ok(()),
        false => Err(RebuildError::Directory {
            expected: ordered.to_owned(),
            found: built.unwrap_or("none").to_owned(),
        }),
    }
}

/// The names on the way to a directory; `None` if it may lead out of the source.
fn names(directory: &str) -> Option<Vec<&str>> {
    let mut names = Vec::new();
    for component in Path::new(directory).components() {
        match component {
            Component::Normal(name) => names.push(name.to_str()?),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_built_is_what_was_ordered() {
        for (ordered, built) in [("workload", "workload"), ("./a/b/", "a/b"), (".", "")] {
            compare(ordered, Some(built)).unwrap();
        }
        for (ordered, built) in [
            ("workload", Some("other")),
            ("workload", Some("")),
            ("workload", Some("workload/../other")),
            ("workload", None),
        ] {
            let compared = compare(ordered, built);
            assert!(
                matches!(compared, Err(RebuildError::Directory { .. })),
                "{ordered}, {built:?}: {compared:?}"
            );
        }
    }
}
