//! What a build root is known by.

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use content::{Digest, Hasher};

use super::RootError;
use crate::interrupt::Interrupt;

/// SHA-256 over kind, mode, path and content of everything below `root`, in the order of paths.
///
/// # Errors
/// Something cannot be read, or is neither file, folder nor link, or somebody interrupted.
pub(super) fn digest(root: &Path, interrupt: &Interrupt) -> Result<Digest, RootError> {
    let mut found = Vec::new();
    walk(root, Path::new(""), &mut found)?;
    found.sort();
    let half = found.len() / 2;
    let (first, second) = found.split_at(half);
    // Hundreds of megabytes; two threads take half the time.
    let (first, second) = std::thread::scope(|scope| {
        let other = scope.spawn(|| describe(root, second, interrupt));
        (describe(root, first, interrupt), other.join())
    });
    let second = second.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let mut hasher = Hasher::new();
    hasher.update(&first?);
    hasher.update(&second);
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

/// Each of three fields ends with a byte that no path and no link has.
fn describe(root: &Path, paths: &[PathBuf], interrupt: &Interrupt) -> Result<Vec<u8>, RootError> {
    let mut text = Vec::new();
    for path in paths {
        interrupt.check()?;
        let place = root.join(path);
        let (kind, content) = look(&place).map_err(|source| RootError::File {
            path: place.clone(),
            source,
        })?;
        for field in [kind.as_bytes(), path.as_os_str().as_bytes(), &content] {
            text.extend_from_slice(field);
            text.push(0);
        }
    }
    Ok(text)
}

/// What stands at `place`, with its mode, and what is in it.
fn look(place: &Path) -> io::Result<(String, Vec<u8>)> {
    let metadata = fs::symlink_metadata(place)?;
    let mode = metadata.permissions().mode() & 0o7777;
    match metadata.file_type() {
        kind if kind.is_dir() => Ok((format!("folder {mode:o}"), Vec::new())),
        kind if kind.is_file() => {
            let mut hasher = Hasher::new();
            io::copy(&mut File::open(place)?, &mut hasher)?;
            Ok((format!("file {mode:o}"), hasher.finish().hex().into_bytes()))
        }
        kind if kind.is_symlink() => {
            let target = fs::read_link(place)?.into_os_string().into_vec();
            Ok(("link".to_owned(), target))
        }
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::fs::symlink;

    use super::*;

    /// The digest of a root with one link.
    fn of(target: &[u8], name: &[u8]) -> Digest {
        let root = tempfile::tempdir().unwrap();
        let name = root.path().join(OsStr::from_bytes(name));
        symlink(OsStr::from_bytes(target), name).unwrap();
        digest(root.path(), &Interrupt::default()).unwrap()
    }

    #[test]
    fn an_interrupt_ends_it() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("file"), "text").unwrap();
        let interrupt = Interrupt::default();
        interrupt.raise();
        let ended = digest(root.path(), &interrupt);
        assert!(matches!(ended, Err(RootError::Interrupted(_))));
    }

    #[test]
    fn no_two_roots_are_one() {
        let roots = [
            of(b"a b", b"c"),
            of(b"a", b"b c"),
            of(b"a\xff", b"c"),
            of(b"a\xfe", b"c"),
            of(b"a", b"c\xff"),
            of(b"a", b"c\xfe"),
        ];
        for (index, root) in roots.iter().enumerate() {
            assert!(!roots[..index].contains(root), "{index}");
        }
    }
}
