//! New files, written as a whole.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::at::At;

/// Writes a new file atomically. An existing file is never replaced.
///
/// # Errors
/// The file exists or cannot be written.
pub(crate) fn create(path: &Path, mode: u32, bytes: &[u8]) -> Result<(), At> {
    write(path, mode, bytes).map_err(At::writing(path))
}

fn write(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let mut file = tempfile::Builder::new()
        .prefix(".partial-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(directory.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    file.persist_noclobber(path)
        .map(drop)
        .map_err(|error| error.error)
}
