//! The files of repositories as a capsule holds them: the list of each, whose digest the lock names, and the contents.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use content::{Digest, Hasher};

use super::kept::place;
use super::listing::Listing;
use crate::at::At;
use crate::inputs::Supply;
use crate::inputs::capsule::bundle::Source;
use crate::inputs::error::DependencyError;
use crate::inputs::git::entry::Mode;
use crate::inputs::git::path::join;
use crate::inputs::store::StoreError;
use crate::lock::repository::Repository;

/// The lists and contents of repositories in the store, by their digests.
///
/// # Errors
/// A repository is missing or was changed, or the work was interrupted.
pub(in crate::inputs) fn pack(
    repositories: &[Repository],
    supply: &Supply<'_>,
) -> Result<BTreeMap<Digest, Source>, DependencyError> {
    let mut packed = BTreeMap::new();
    for repository in repositories {
        let folder = place(repository, supply);
        let mut listing = Listing::of(&repository.submodules);
        add(&folder, &mut listing, &mut packed, supply)?;
        let lines = listing.lines();
        if Digest::of(&lines) != repository.sha256 {
            return Err(StoreError::disturbed("files of a repository", &folder).into());
        }
        packed.insert(repository.sha256, Source::Bytes(lines));
    }
    Ok(packed)
}

fn add(
    top: &Path,
    listing: &mut Listing,
    packed: &mut BTreeMap<Digest, Source>,
    supply: &Supply<'_>,
) -> Result<(), DependencyError> {
    let mut open = vec![String::new()];
    while let Some(folder) = open.pop() {
        supply.interrupt.check()?;
        let place = top.join(&folder);
        let unread = At::reading(&place);
        for entry in fs::read_dir(&place).map_err(&unread)? {
            let entry = entry.map_err(&unread)?;
            let kind = entry.file_type().map_err(&unread)?;
            // Another name has another digest.
            let path = join(&folder, &entry.file_name().to_string_lossy());
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_symlink() {
                let target = fs::read_link(entry.path()).map_err(&unread)?;
                let target = target.as_os_str().as_bytes().to_vec();
                listing.add(path, Mode::Link, &target);
                packed.insert(Digest::of(&target), Source::Bytes(target));
            } else {
                let (mode, digest, size) = file(&entry.path()).map_err(&unread)?;
                listing.add_digest(path, mode, &digest);
                packed.insert(digest, Source::File(entry.path(), size));
            }
        }
    }
    Ok(())
}

fn file(path: &Path) -> io::Result<(Mode, Digest, u64)> {
    let mut file = File::open(path)?;
    let mode = Mode::of_file(file.metadata()?.permissions().mode());
    let mut hasher = Hasher::new();
    let size = io::copy(&mut file, &mut hasher)?;
    Ok((mode, hasher.finish(), size))
}
