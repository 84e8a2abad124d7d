//! The entries that Python packages bring: their modules, in the directories that `Image.toml` names.

use console::hint::Hinted;
use oci::layer::{Attributed, Entry, Kind};

use super::collection::{Collection, From};
use super::folder;
use crate::inputs::wheels::Unpacked;
use crate::lock::wheels::Wheel;

/// Adds the entries of all packages. Returns the absolute paths of their files.
///
/// # Errors
/// Something in a package cannot be added, or is also made by another part of `Image.toml`.
pub(super) fn add(
    all: &[Unpacked],
    collection: &mut Collection,
) -> Result<Vec<(Wheel, Vec<String>)>, Hinted> {
    let mut owned = Vec::new();
    for unpacked in all {
        let top = unpacked.path.display().to_string();
        let top = top.trim_end_matches('/');
        let from = From::from(format!("[[wheels]] {top}"));
        for (path, kind) in folder::walk(&unpacked.folder)? {
            let entry = entry(&format!("{top}/{path}"), kind);
            let entry =
                entry.map_err(|fault| fault.during(format_args!("adding wheels in {top}")))?;
            collection.add(entry, &from)?;
        }
        let files = unpacked.owned.iter().map(|(wheel, paths)| {
            let paths = paths.iter().map(|path| format!("{top}/{path}"));
            (wheel.clone(), paths.collect())
        });
        owned.extend(files);
    }
    Ok(owned)
}

fn entry(path: &str, kind: Kind) -> Result<Attributed, Hinted> {
    let path = path.parse().map_err(Hinted::from_error)?;
    Ok(Attributed::from(Entry { path, kind }))
}
