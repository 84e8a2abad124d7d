//! What a build root is known by.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use content::{Digest, Hasher};

use super::RootError;

/// SHA-256 over kind, path and content of everything below `root`, in the order of paths.
///
/// # Errors
/// Something cannot be read, or is neither file, folder nor link.
pub(super) fn digest(root: &Path) -> Result<Digest, RootError> {
    let mut found = Vec::new();
    walk(root, Path::new(""), &mut found)?;
    found.sort();
    let half = found.len() / 2;
    let (first, second) = found.split_at(half);
    // Hundreds of megabytes; two threads take half the time.
    let (first, second) = std::thread::scope(|scope| {
        let other = scope.spawn(|| describe(root, second));
        (describe(root, first), other.join())
    });
    let second = second.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let mut hasher = Hasher::new();
    hasher.update(first?.as_bytes());
    hasher.update(second.as_bytes());
    Ok(hasher.finish())
}

fn walk(root: &Path, below: &Path, found: &mut Vec<PathBuf>) -> Result<(), RootError> {
    let folder = root.join(below);
    let failed = |source| RootError::File {
        path: folder.clone(),
        source,
    };
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = below.join(entry.file_name());
        if entry.file_type().map_err(failed)?.is_dir() {
            walk(root, &path, found)?;
        }
        found.push(path);
    }
    Ok(())
}

fn describe(root: &Path, paths: &[PathBuf]) -> Result<String, RootError> {
    let mut text = String::new();
    for path in paths {
        let place = root.join(path);
        let failed = |source| RootError::File {
            path: place.clone(),
            source,
        };
        let metadata = fs::symlink_metadata(&place).map_err(failed)?;
        let mode = metadata.permissions().mode() & 0o7777;
        let what = if metadata.is_dir() {
            "folder".to_owned()
        } else if metadata.is_symlink() {
            let target = fs::read_link(&place).map_err(failed)?;
            text += &format!("link {} {}\0", target.display(), path.display());
            continue;
        } else if !metadata.is_file() {
            return Err(failed(io::ErrorKind::InvalidData.into()));
        } else {
            let mut hasher = Hasher::new();
            let mut file = File::open(&place).map_err(failed)?;
            io::copy(&mut file, &mut hasher).map_err(failed)?;
            hasher.finish().hex()
        };
        text += &format!("{mode:o} {what} {}\0", path.display());
    }
    Ok(text)
}
