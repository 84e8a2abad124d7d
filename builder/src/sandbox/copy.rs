//! Copies a folder, so that a program can write into the copy.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

/// Copies the folder `from` to `to`, which may exist: contents, links and executable bits. The times of the copy are 0, because
/// programs can read them.
///
/// # Errors
/// A file cannot be read or written, or is neither file, folder nor link.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()? {
            kind if kind.is_dir() => copy(&entry.path(), &target)?,
            kind if kind.is_file() => copy_file(&entry.path(), &target)?,
            kind if kind.is_symlink() => {
                symlink(fs::read_link(entry.path())?, &target)?;
                set_time(&target)?;
            }
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        }
    }
    set_time(to)
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let mode = fs::metadata(from)?.permissions().mode() & 0o755;
    io::copy(&mut File::open(from)?, &mut File::create_new(to)?)?;
    fs::set_permissions(to, Permissions::from_mode(mode | 0o644))?;
    set_time(to)
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
