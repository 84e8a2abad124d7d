//! What is directly in the directory of a program.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use console::hint::Hinted;

use crate::at::At;
use crate::error::Error;

/// Where the program is in the image.
pub(super) const HOME: &str = "/app";
/// The largest number of entries of the directory.
const ENTRIES: usize = 10_000;

/// An entry of the directory.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) is_folder: bool,
    pub(super) is_executable: bool,
}

/// The entries, sorted by name.
pub(super) fn entries(directory: &Path) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory).map_err(At::reading(directory))? {
        if entries.len() == ENTRIES {
            let directory = directory.display();
            let many = format!("reading {directory}: more than {ENTRIES} entries");
            return Err(Hinted::new(many).into());
        }
        let entry = entry.map_err(At::reading(directory))?;
        let kind = entry.file_type().map_err(At::reading(&entry.path()))?;
        let mode = entry.metadata().map_err(At::reading(&entry.path()))?;
        // A name that is not text cannot be in Image.toml.
        if let Ok(name) = entry.file_name().into_string() {
            entries.push(Entry {
                name,
                is_folder: kind.is_dir(),
                is_executable: kind.is_file() && mode.permissions().mode() & 0o111 != 0,
            });
        }
    }
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
}
