//! The files of git repositories in the store, and how they come there.

use std::path::{Path, PathBuf};

use content::Digest;

use super::export;
use crate::at::At;
use crate::inputs::Supply;
use crate::inputs::error::DependencyError;
use crate::inputs::normalize::normalize;
use crate::inputs::store::Store;
use crate::lock::repository::{CommitName, Repository, RepositoryUrl};

/// The folder for the files of a repository. If its name were the digest of the files alone, a lock could give them the name of
/// another repository.
pub(super) fn place(repository: &Repository, supply: &Supply<'_>) -> PathBuf {
    place_in(repository, supply.store)
}

/// As [`place`], in this store.
pub(in crate::inputs) fn place_in(repository: &Repository, store: &Store) -> PathBuf {
    let Repository {
        url,
        commit,
        sha256,
        ..
    } = repository;
    let named = Digest::of(format!("{} {commit} {url}", sha256.hex()).as_bytes());
    store.trees().join(named.hex())
}

/// Moves files to their place in the store.
pub(super) fn publish(
    folder: &Path,
    place: &Path,
    supply: &Supply<'_>,
) -> Result<(), DependencyError> {
    normalize(folder).map_err(At::writing(folder))?;
    let _alone = supply
        .store
        .alone(&supply.store.trees(), supply.interrupt)?;
    // What is there may be damaged.
    supply.store.discard(place)?;
    Ok(supply.store.publish(folder, place)?)
}

/// Fetches a commit into the store.
pub(super) fn obtain(
    url: &RepositoryUrl,
    commit: &CommitName,
    supply: &Supply<'_>,
) -> Result<Repository, DependencyError> {
    supply.check_network(url)?;
    supply.during(format_args!("fetch {url}"), |_| fetch(url, commit, supply))
}

fn fetch(
    url: &RepositoryUrl,
    commit: &CommitName,
    supply: &Supply<'_>,
) -> Result<Repository, DependencyError> {
    let scratch = supply.store.scratch()?;
    let folder = scratch.path().join("tree");
    let exported = export::export(url, commit, scratch.path(), &folder, supply.interrupt);
    let exported =
        exported.map_err(|error| error.during(format_args!("fetching {url} at {commit}")))?;
    if exported.has_attributes {
        supply.note(&format!(
            "note: {url} has .gitattributes that change files when git checks them out; they are used as committed"
        ));
    }
    let repository = Repository {
        url: url.clone(),
        commit: commit.clone(),
        sha256: exported.digest,
        submodules: exported.submodules,
    };
    publish(&folder, &place(&repository, supply), supply)?;
    Ok(repository)
}

/// Fetches a locked commit into the store.
pub(super) fn obtain_locked(
    repository: &Repository,
    supply: &Supply<'_>,
) -> Result<(), DependencyError> {
    let found = obtain(&repository.url, &repository.commit, supply)?;
    match found == *repository {
        true => Ok(()),
        false => Err(DependencyError::refused(
            format_args!(
                "checking {repository}: expected the files {}, found {}",
                repository.sha256, found.sha256
            ),
            crate::lock::AGAIN,
        )),
    }
}
