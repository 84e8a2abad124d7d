//! The directory of the source that is built. No symbolic link in its path is followed, because another directory would
//! be built.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use console::at::At;

use super::error::RebuildError;
use crate::commit::Commit;

/// The entry at the path of the directory.
pub(super) enum Directory {
    /// A directory, by its path.
    Plain(PathBuf),
    /// A symbolic link, there or above, by its path in the source.
    Linked(String),
}

/// Looks for the directory in `clone`. The user named it, so its absence says nothing about the image.
///
/// # Errors
/// It does not exist, or leads out of the source.
pub(super) fn find(
    clone: &Path,
    directory: &str,
    commit: &Commit,
) -> Result<Directory, RebuildError> {
    let missing = || {
        RebuildError::source(
            format_args!("reading source: commit {commit} has no directory {directory:?}"),
            "see --directory, or `directory` in the policy",
        )
    };
    let mut here = clone.to_owned();
    for name in names(directory).ok_or_else(missing)? {
        here.push(name);
        let found = std::fs::symlink_metadata(&here);
        let found = found.map_err(|source| match source.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => missing(),
            _ => At::reading(&here)(source).into(),
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

/// Compares the directory that was to be built with the one that was built.
///
/// # Errors
/// They differ.
pub(super) fn compare(ordered: &str, built: Option<&str>) -> Result<(), RebuildError> {
    match built.is_some_and(|built| names(built) == names(ordered)) {
        true => Ok(()),
        false => {
            let built = built.map_or("none".to_owned(), |built| format!("{built:?}"));
            let ordered = format!("{ordered:?}");
            Err(RebuildError::other("directory", ordered, built))
        }
    }
}

/// The names of a path; `None` if it may lead out of the source.
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
    fn refuses_another_directory_than_was_requested() {
        for (ordered, built) in [("workload", "workload"), ("./a/b/", "a/b"), (".", "")] {
            compare(ordered, Some(built)).unwrap();
        }
        for (ordered, built) in [
            ("workload", Some("other")),
            ("workload", Some("")),
            ("workload", Some("workload/../other")),
            ("workload", None),
        ] {
            let error = compare(ordered, built).unwrap_err().to_string();
            let found = built.map_or("none".to_owned(), |built| format!("{built:?}"));
            assert_eq!(
                error,
                format!("reading rebuilt layout: expected directory {ordered:?}, found {found}")
            );
        }
    }
}
