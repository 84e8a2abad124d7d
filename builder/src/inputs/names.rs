//! The names in the store of everything that locks name: what is still needed.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::debian::root::{self, Contents};
use super::git::repositories;
use super::store::Store;
use super::wanted::Wanted;
use super::{archive, capsule, cargo};
use crate::error::Error;
use crate::interrupt::Interrupt;

/// What the projects of a store need of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Needed {
    /// The projects: the directories of their locks.
    pub projects: Vec<PathBuf>,
    /// The names of the files and folders. Each has a digest of what it is, so that no two kinds share one.
    pub names: BTreeSet<OsString>,
}

/// What the locks of the projects that were locked or built with this store name, as they are in the working trees now.
///
/// # Errors
/// A lock cannot be read, or the store cannot be used.
pub fn needed(store: &Store) -> Result<Needed, Error> {
    let mut needed = Needed {
        projects: store.projects()?,
        ..Needed::default()
    };
    for project in &needed.projects {
        needed.names.extend(names(project, store)?);
    }
    Ok(needed)
}

/// The names of what the lock in a directory names.
fn names(directory: &Path, store: &Store) -> Result<Vec<OsString>, Error> {
    let (spec, lock) = Wanted::spec_and_lock(directory)?;
    let mut paths = capsule::files(&spec, &lock, store);
    let contents = Contents {
        packages: &lock.packages,
        toolchain: spec.root.toolchain,
    };
    paths.push(root::folder_of(contents, store));
    paths.extend(archive::folders(&spec.archives, store));
    let repositories = lock.repositories.iter();
    paths.extend(repositories.map(|one| repositories::place_in(one, store)));
    // Without its archives, nothing is unpacked from them.
    let vendored = cargo::vendored(lock.crates(), store, &Interrupt::default());
    paths.extend(vendored.ok());
    let names = paths.iter().filter_map(|path| path.file_name());
    Ok(names.map(ToOwned::to_owned).collect())
}
