//! Refuses symbolic links between the top of a repository and the directory that is built: the target of a link would be
//! built under the name of the link.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::{SourceError, reading};
use crate::untrusted::shown;

/// Checks that the path `directory`, as it is written, contains no link below the repository at `top`. Links above the
/// repository are allowed.
///
/// # Errors
/// There is a link, or the path cannot be read.
pub(super) fn refuse(top: &Path, directory: &Path) -> Result<(), SourceError> {
    match first(top, directory).map_err(SourceError::at(directory))? {
        None => Ok(()),
        Some(path) => {
            let path = shown(&path.to_string_lossy());
            Err(reading(format_args!("{path} is a symbolic link"))
                .hinting("name the directory that it leads to")
                .into())
        }
    }
}

fn first(top: &Path, directory: &Path) -> io::Result<Option<PathBuf>> {
    let top = top.canonicalize()?;
    let directory = std::path::absolute(directory)?;
    let mut is_within = false;
    let mut here = PathBuf::new();
    for component in directory.components() {
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
    fn refuses_links_within_the_repository_only() {
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
            match refused {
                false => found.unwrap(),
                true => {
                    let error = found.unwrap_err().to_string();
                    assert!(
                        error.starts_with("reading source: ")
                            && error.ends_with(" is a symbolic link"),
                        "{folder}: {error}"
                    );
                }
            }
        }
    }
}
