//! The names in the store of everything that locks name: what is still needed.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::debian::root::{self, Contents};
use super::git::repositories;
use super::store::{Store, StoreError};
use super::wanted::Wanted;
use super::{DependencyError, archive, capsule, cargo, go};
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
    paths.extend(unpacked(cargo::vendored(
        lock.crates(),
        store,
        &Interrupt::default(),
    ))?);
    let toolchains = lock.modules.iter().filter(|one| go::is_toolchain(one));
    for toolchain in toolchains {
        paths.extend(unpacked(go::unpacked_folder(toolchain, store))?);
    }
    let names = paths.iter().filter_map(|path| path.file_name());
    Ok(names.map(ToOwned::to_owned).collect())
}

/// The folder that archives in the store are unpacked to; `None` if it has not all of them, because they were never fetched or were
/// pruned: then what was unpacked from them is not used either.
fn unpacked(folder: Result<PathBuf, DependencyError>) -> Result<Option<PathBuf>, DependencyError> {
    match folder {
        Err(DependencyError::Store(StoreError::Absent { .. })) => Ok(None),
        folder => folder.map(Some),
    }
}
