//! Symbolic links between a repository and the folder that is built. What a link leads to is built under
//! another name than it is known by, so no link is followed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::SourceError;

/// Finds no link on the way from the repository at `top` to `folder`, as `folder` is written. How the
/// repository itself is reached plays no part.
///
/// # Errors
/// There is one, or the way cannot be looked at.
pub(super) fn refuse(top: &Path, folder: &Path) -> Result<(), SourceError> {
    match first(top, folder).map_err(SourceError::at(folder))? {
        None => Ok(()),
        Some(path) => Err(SourceError::Link { path }),
    }
}

fn first(top: &Path, folder: &Path) -> io::Result<Option<PathBuf>> {
    let top = top.canonicalize()?;
    let folder = std::path::absolute(folder)?;
    let mut is_within = false;
    let mut here = PathBuf::new();
    for component in folder.components() {
        here.push(component);
        if is_within && fs::symlink_metadata(&here)?.is_symlink() {
            return Ok(Some(here));
        }
        is_within = here.canonicalize()?.starts_with(&top);
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_count_within_the_repository_only() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::create_dir_all(at("top/real/deep")).unwrap();
        symlink("real", at("top/link")).unwrap();
        symlink("top", at("way")).unwrap();
        symlink("top/real", at("shortcut")).unwrap();
        for (folder, refused) in [
            ("top", false),
            ("top/real/deep", false),
            ("way/real/deep", false),
            ("shortcut", false),
            ("top/link", true),
            ("top/link/deep", true),
            ("top/link/", true),
            ("top/./link", true),
            ("top/link/..", true),
            ("top/real/../link", true),
            ("way/link/deep", true),
        ] {
            let found = refuse(&at("top"), &at(folder));
            let is_link = matches!(found, Err(SourceError::Link { .. }));
            assert_eq!(is_link, refused, "{folder}: {found:?}");
        }
    }
}
