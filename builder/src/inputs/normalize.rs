//! Sets modes and times of files to fixed values, because build scripts can read them.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

/// Sets the time of everything below `folder`, and of the folder itself, to 0, and modes to 0755 or 0644. Only the
/// executable bit of a file is kept.
///
/// # Errors
/// A file cannot be read or changed.
pub fn normalize(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()? {
            kind if kind.is_dir() => normalize(&entry.path())?,
            kind if kind.is_file() => normalize_file(&entry.path())?,
            _ => set_time(&entry.path())?,
        }
    }
    set(folder, 0o755)
}

fn normalize_file(path: &Path) -> io::Result<()> {
    match fs::metadata(path)?.permissions().mode() & 0o100 {
        0 => set(path, 0o644),
        _ => set(path, 0o755),
    }
}

fn set(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode))?;
    set_time(path)
}

/// For a link, sets its own time.
fn set_time(path: &Path) -> io::Result<()> {
    let zero = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let times = Timestamps {
        last_access: zero,
        last_modification: zero,
    };
    Ok(utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn only_the_executable_bit_is_kept() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("folder");
        fs::create_dir(&folder).unwrap();
        for (name, before, after) in [("a", 0o600, 0o644), ("b", 0o700, 0o755)] {
            let path = folder.join(name);
            fs::write(&path, name).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(before)).unwrap();
            normalize(scratch.path()).unwrap();
            let found = fs::metadata(&path).unwrap();
            assert_eq!((found.mode() & 0o7777, found.mtime()), (after, 0));
        }
        let link = scratch.path().join("link");
        std::os::unix::fs::symlink("/", &link).unwrap();
        normalize(scratch.path()).unwrap();
        assert_eq!(fs::symlink_metadata(&link).unwrap().mtime(), 0);
        let found = fs::metadata(&folder).unwrap();
        assert_eq!((found.mode() & 0o7777, found.mtime()), (0o755, 0));
    }
}
