//! Which package has a file of the build root: each package lists its files in a control file (deb-md5sums(5)).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use console::hint::Hinted;

use super::deb;
use crate::inputs::Supply;
use crate::inputs::store::StoreError;
use crate::lock::packages::Package;

/// The names of the packages that have these files, by their paths as the sandbox has them. A file of no package is left out.
///
/// # Errors
/// A package cannot be read from the store, or is invalid.
pub(crate) fn owners(
    files: &BTreeSet<PathBuf>,
    packages: &[Package],
    supply: &Supply<'_>,
) -> Result<BTreeMap<PathBuf, String>, StoreError> {
    let wanted: BTreeMap<PathBuf, &PathBuf> =
        files.iter().map(|file| (merged(file), file)).collect();
    let mut owners = BTreeMap::new();
    for package in packages {
        if owners.len() == wanted.len() {
            break;
        }
        let bytes = supply.store.read(&package.key(), package.size)?;
        let sums = deb::control(&bytes, "md5sums").map_err(|reason| {
            Hinted::new(format_args!("reading package {}: {reason}", package.name))
        })?;
        // A package without files has no sums.
        let sums = sums.unwrap_or_default();
        for file in sums.lines().filter_map(listed) {
            if let Some(found) = wanted.get(&merged(file)) {
                owners
                    .entry((*found).clone())
                    .or_insert_with(|| package.name.clone());
            }
        }
    }
    Ok(owners)
}

/// The path in a line: after a sum of 32 digits and two spaces.
fn listed(line: &str) -> Option<&Path> {
    Some(Path::new(line.get(34..)?))
}

/// The path below `/usr` if its folder is merged into that, without the slash at the beginning.
fn merged(path: &Path) -> PathBuf {
    let path = path.strip_prefix("/").unwrap_or(path);
    path.strip_prefix("usr").unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_a_file_in_either_layout() {
        let line = "d41d8cd98f00b204e9800998ecf8427e  lib/x86_64-linux-gnu/libz.so.1";
        let found = listed(line).unwrap();
        assert_eq!(found, Path::new("lib/x86_64-linux-gnu/libz.so.1"));
        for same in [
            "/usr/lib/x86_64-linux-gnu/libz.so.1",
            "/lib/x86_64-linux-gnu/libz.so.1",
        ] {
            assert_eq!(merged(Path::new(same)), merged(found));
        }
        assert_eq!(listed("d41d8"), None);
    }
}
