//! Git repositories with crates that the source uses. The user's git fetches a commit; its files are kept in the store by
//! their digest, compared with it each time they are used, and staged as sources of cargo.

mod copying;
mod export;
mod kept;
mod listing;
mod packages;
mod packed;
mod restored;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use console::hint::Hinted;
use scratch::Scratch;

use super::path::SourcePath;
use crate::at::At;
use crate::inputs::Supply;
use crate::inputs::cargo::GitSource;
use crate::inputs::error::DependencyError;
use crate::inputs::normalize::normalize;
use crate::lock::repository::{CommitName, Repository, RepositoryUrl};
use copying::Copying;
pub(in crate::inputs) use kept::place_in;
use kept::{obtain, place};
pub(in crate::inputs) use packed::pack;

/// Maximum number of repositories, with submodules.
const REPOSITORIES: usize = 500;
/// Maximum depth of submodules in each other.
const DEPTH: usize = 8;

type Name = (RepositoryUrl, CommitName);

/// Fetches the repositories of these sources, and their submodules, into the store, unless an earlier lock names their
/// digests and the store has them. Returns them by URL and commit.
///
/// # Errors
/// A repository cannot be fetched or kept, or the work was interrupted.
pub(in crate::inputs) fn resolve(
    sources: &[GitSource],
    earlier: &[Repository],
    supply: &Supply<'_>,
) -> Result<Vec<Repository>, DependencyError> {
    let mut open: Vec<Name> = sources.iter().map(GitSource::name).collect();
    let mut found: BTreeMap<Name, Repository> = BTreeMap::new();
    while let Some(name) = open.pop() {
        if found.contains_key(&name) {
            continue;
        }
        if found.len() == REPOSITORIES {
            let many = format_args!("fetching repositories: more than {REPOSITORIES}");
            return Err(Hinted::new(many).into());
        }
        let (url, commit) = &name;
        let known = earlier.iter().find(|one| one.name() == (url, commit));
        let known = known.filter(|one| place(one, supply).is_dir());
        let repository = match known {
            Some(known) => known.clone(),
            None => obtain(url, commit, supply)?,
        };
        let submodules = repository.submodules.values();
        open.extend(submodules.map(|one| (one.url.clone(), one.commit.clone())));
        found.insert(name, repository);
    }
    Ok(found.into_values().collect())
}

/// The staged repositories of a build.
pub struct Staged {
    folder: Scratch,
    /// The tables of cargo's configuration that replace each git source by a folder.
    pub(crate) configuration: String,
}

impl Staged {
    /// The folder in which the repositories are, which the sandbox sees at [`PLACE`].
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().join(TREES)
    }
}

/// The path of the staged repositories in the sandbox.
pub(crate) const PLACE: &str = "/build/git";
const TREES: &str = "git";

/// Stages the locked repositories as sources of cargo. Those that the store does not have are fetched.
///
/// # Errors
/// A repository is not locked, cannot be fetched, or has other files than locked, or lacks a package.
pub(in crate::inputs) fn stage(
    sources: &[GitSource],
    locked: &[Repository],
    supply: &Supply<'_>,
) -> Result<Option<Staged>, DependencyError> {
    if sources.is_empty() && locked.is_empty() {
        return Ok(None);
    }
    let name = "stage git repositories";
    supply
        .during(name, |_| stage_all(sources, locked, supply))
        .map(Some)
}

fn stage_all(
    sources: &[GitSource],
    locked: &[Repository],
    supply: &Supply<'_>,
) -> Result<Staged, DependencyError> {
    let mut staged = Staged {
        folder: supply.store.scratch()?,
        configuration: String::new(),
    };
    let folder = staged.folder();
    fs::create_dir(&folder).map_err(At::writing(&folder))?;
    let copying = Copying::below(&folder, supply);
    let mut used = BTreeSet::new();
    let mut by_name: BTreeMap<Name, Vec<&GitSource>> = BTreeMap::new();
    for source in sources {
        by_name.entry(source.name()).or_default().push(source);
    }
    for (index, (name, sources)) in by_name.into_iter().enumerate() {
        let repository = find(locked, &name)?;
        let tree = format!("{index}-{}", short(repository));
        copying.one(repository, &folder.join(&tree))?;
        used.insert(name);
        let packages = sources.iter().flat_map(|source| &source.packages).collect();
        let links = packages::prepare(&folder.join(&tree), &packages, &repository.to_string())?;
        let submodules = Submodules {
            locked,
            copying: &copying,
        };
        submodules.add(repository, &folder.join(&tree), 0, &mut used)?;
        let (name, table) = GitSource::directory(&Path::new(PLACE).join(&tree).join(links));
        staged.configuration += &table;
        let replaced = sources.iter().map(|source| source.replaced_by(&name));
        staged.configuration.extend(replaced);
    }
    match locked.iter().find(|one| !used.contains(&owned(one))) {
        Some(unused) => Err(Hinted::new(format_args!(
            "checking Image.lock: it names {unused}, which Cargo.lock does not use"
        ))
        .hinting(crate::lock::AGAIN)
        .into()),
        None => {
            normalize(&folder).map_err(At::writing(&folder))?;
            Ok(staged)
        }
    }
}

fn owned(repository: &Repository) -> Name {
    (repository.url.clone(), repository.commit.clone())
}

/// A name for the folder of a repository that compilers may show: the last part of the URL, and the commit.
fn short(repository: &Repository) -> String {
    let last = repository.url.as_str().trim_end_matches('/');
    let last = last.rsplit('/').next().unwrap_or_default();
    let last = last.strip_suffix(".git").unwrap_or(last);
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-_".contains(*c);
    let last: String = last.chars().filter(plain).take(64).collect();
    format!("{last}-{}", &repository.commit.as_str()[..12])
}

fn find<'a>(locked: &'a [Repository], name: &Name) -> Result<&'a Repository, DependencyError> {
    let found = locked.iter().find(|one| one.name() == (&name.0, &name.1));
    found.ok_or_else(|| {
        Hinted::new(format_args!(
            "checking Image.lock: it does not name {} at {}",
            name.0, name.1
        ))
        .hinting(crate::lock::AGAIN)
        .into()
    })
}

struct Submodules<'a> {
    locked: &'a [Repository],
    copying: &'a Copying<'a>,
}

impl Submodules<'_> {
    /// Adds the files of submodules to the staged files of a repository.
    fn add(
        &self,
        repository: &Repository,
        into: &Path,
        depth: usize,
        used: &mut BTreeSet<Name>,
    ) -> Result<(), DependencyError> {
        if depth == DEPTH && !repository.submodules.is_empty() {
            let deep =
                format_args!("staging {repository}: more than {DEPTH} submodules in each other");
            return Err(Hinted::new(deep).into());
        }
        for (path, submodule) in &repository.submodules {
            let name = (submodule.url.clone(), submodule.commit.clone());
            let submodule = find(self.locked, &name)?;
            used.insert(name);
            let place = into.join(SourcePath::parse(path)?);
            self.copying.one(submodule, &place)?;
            self.add(submodule, &place, depth + 1, used)?;
        }
        Ok(())
    }
}

/// Brings repositories from a capsule into the store.
#[cfg(test)]
pub(in crate::inputs) fn restore_all(
    locked: &[Repository],
    capsule: &crate::inputs::capsule::opened::Capsule,
    supply: &Supply<'_>,
) -> Result<(), DependencyError> {
    locked
        .iter()
        .try_for_each(|one| restored::restore(one, capsule, supply))
}
