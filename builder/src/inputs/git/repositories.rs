//! Git repositories with crates that the source uses. The user's git fetches a commit; its files are kept in the store by
//! their digest, compared with it each time they are used, and staged as sources of cargo.

mod export;
mod listing;
mod packages;
mod packed;
mod restored;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use console::hint::Hinted;
use content::Digest;
use scratch::Scratch;

use super::entry::Mode;
use super::limits::FILE;
use super::path::{SourcePath, join};
use crate::at::At;
use crate::inputs::Supply;
use crate::inputs::cargo::GitSource;
use crate::inputs::error::DependencyError;
use crate::inputs::normalize::normalize;
use crate::inputs::store::{Store, StoreError};
use crate::lock::repository::{CommitName, Repository, RepositoryUrl};
use listing::Listing;
pub(in crate::inputs) use packed::pack;

/// Maximum number of repositories, with submodules.
const REPOSITORIES: usize = 500;
/// Maximum depth of submodules in each other.
const DEPTH: usize = 8;
/// Most bytes that are staged of all repositories.
const STAGED: u64 = 8 << 30;
/// Most files and folders that are staged of all repositories.
const STAGED_ENTRIES: usize = 1_000_000;

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

/// The folder for the files of a repository. If its name were the digest of the files alone, a lock could give them the name of
/// another repository.
fn place(repository: &Repository, supply: &Supply<'_>) -> PathBuf {
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
fn publish(folder: &Path, place: &Path, supply: &Supply<'_>) -> Result<(), DependencyError> {
    normalize(folder).map_err(At::writing(folder))?;
    let _alone = supply
        .store
        .alone(&supply.store.trees(), supply.interrupt)?;
    // What is there may be damaged.
    supply.store.discard(place)?;
    Ok(supply.store.publish(folder, place)?)
}

/// Fetches a commit into the store.
fn obtain(
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
fn obtain_locked(repository: &Repository, supply: &Supply<'_>) -> Result<(), DependencyError> {
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
    let copying = Copying {
        top: &folder,
        supply,
        bytes: Cell::new(STAGED),
        entries: Cell::new(STAGED_ENTRIES),
    };
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

/// Copies repositories from the store. The limits are for all copies: a submodule can be in many places.
struct Copying<'a> {
    /// The folder that all copies are in.
    top: &'a Path,
    supply: &'a Supply<'a>,
    /// How many more bytes may be written.
    bytes: Cell<u64>,
    /// How many more files and folders may be made.
    entries: Cell<usize>,
}

impl Copying<'_> {
    /// Copies the files of a repository into the new folder `into`, and compares them with the locked digest.
    fn one(&self, repository: &Repository, into: &Path) -> Result<(), DependencyError> {
        self.check_place(repository, into)?;
        let place = place(repository, self.supply);
        if place.is_dir() && self.copied(repository, &place, into)? == repository.sha256 {
            self.supply.store.used(place);
            return Ok(());
        }
        // It is missing or damaged.
        if into.exists() {
            fs::remove_dir_all(into).map_err(At::writing(into))?;
        }
        match self.supply.capsule {
            Some(capsule) => restored::restore(repository, capsule, self.supply)?,
            None => obtain_locked(repository, self.supply)?,
        }
        match self.copied(repository, &place, into)? == repository.sha256 {
            true => Ok(()),
            false => Err(StoreError::disturbed("files of a repository", &place).into()),
        }
    }

    /// Checks that nothing is at `into`, and that no folder around it is a link: the copy would be elsewhere. Links of a
    /// repository may lead anywhere, and a submodule may be below one.
    fn check_place(&self, repository: &Repository, into: &Path) -> Result<(), DependencyError> {
        let below = into.strip_prefix(self.top).unwrap_or(into);
        let mut place = self.top.to_owned();
        let mut parts = below.components().peekable();
        while let Some(part) = parts.next() {
            place.push(part);
            let is_free = match (place.symlink_metadata(), parts.peek()) {
                (Ok(found), Some(_)) => found.is_dir(),
                (Ok(_), None) => false,
                (Err(error), _) => error.kind() == io::ErrorKind::NotFound,
            };
            if !is_free {
                return Err(DependencyError::refused(
                    format_args!("staging {repository}: something else is at its place"),
                    "a submodule must not be below a symbolic link, or at the path of another file",
                ));
            }
        }
        Ok(())
    }

    /// Copies a folder. Returns the digest of what was written.
    fn copied(
        &self,
        repository: &Repository,
        from: &Path,
        into: &Path,
    ) -> Result<Digest, DependencyError> {
        let mut listing = Listing::of(&repository.submodules);
        fs::create_dir_all(into).map_err(At::writing(into))?;
        let mut open = vec![String::new()];
        while let Some(folder) = open.pop() {
            self.supply.interrupt.check()?;
            let place = from.join(&folder);
            let unread = At::reading(&place);
            for entry in fs::read_dir(&place).map_err(&unread)? {
                let entry = entry.map_err(&unread)?;
                let kind = entry.file_type().map_err(&unread)?;
                self.take(repository, 0)?;
                // Something else than what was written there has another digest.
                let Ok(name) = entry.file_name().into_string() else {
                    return Ok(Digest::of(b""));
                };
                let path = join(&folder, &name);
                let to = into.join(&path);
                if kind.is_dir() {
                    fs::create_dir_all(&to).map_err(At::writing(&to))?;
                    open.push(path);
                } else if kind.is_symlink() {
                    let target = fs::read_link(entry.path()).map_err(&unread)?;
                    symlink(&target, &to).map_err(At::writing(&to))?;
                    listing.add(path, Mode::Link, target.as_os_str().as_bytes());
                } else if kind.is_file() {
                    let (bytes, mode) = read(&entry.path()).map_err(&unread)?;
                    self.take(repository, bytes.len() as u64)?;
                    write(&to, &bytes, mode).map_err(At::writing(&to))?;
                    listing.add(path, mode, &bytes);
                } else {
                    return Ok(Digest::of(b""));
                }
            }
        }
        Ok(listing.digest())
    }

    /// Counts an entry, or the bytes of a file.
    fn take(&self, repository: &Repository, bytes: u64) -> Result<(), DependencyError> {
        let entries = self.entries.get().checked_sub(usize::from(bytes == 0));
        match (entries, self.bytes.get().checked_sub(bytes)) {
            (Some(entries), Some(bytes)) => {
                self.entries.set(entries);
                self.bytes.set(bytes);
                Ok(())
            }
            _ => Err(DependencyError::refused(
                format_args!(
                    "staging {repository}: all git repositories together have more than {STAGED_ENTRIES} files or {STAGED} bytes"
                ),
                "a submodule is counted at each place where it is",
            )),
        }
    }
}

fn read(path: &Path) -> io::Result<(Vec<u8>, Mode)> {
    let file = File::open(path)?;
    let mode = Mode::of_file(file.metadata()?.permissions().mode());
    let mut bytes = Vec::new();
    file.take(FILE + 1).read_to_end(&mut bytes)?;
    Ok((bytes, mode))
}

fn write(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.set_permissions(fs::Permissions::from_mode(mode.bits()))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository of one file in the store.
    fn kept(supply: &Supply<'_>) -> Repository {
        let mut listing = Listing::of(&BTreeMap::new());
        listing.add("hook".to_owned(), Mode::Executable, b"evil");
        let repository = Repository {
            url: "https://host.example/s".to_owned().try_into().unwrap(),
            commit: "a".repeat(40).try_into().unwrap(),
            sha256: listing.digest(),
            submodules: BTreeMap::new(),
        };
        let folder = place(&repository, supply);
        fs::create_dir_all(&folder).unwrap();
        write(&folder.join("hook"), b"evil", Mode::Executable).unwrap();
        repository
    }

    fn with(bytes: u64, check: impl FnOnce(&Repository, &Copying<'_>)) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        let supply = Supply::of(&store);
        let top = folder.path().join("top");
        fs::create_dir_all(top.join("tree/real")).unwrap();
        let copying = Copying {
            top: &top,
            supply: &supply,
            bytes: Cell::new(bytes),
            entries: Cell::new(100),
        };
        check(&kept(&supply), &copying);
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        with(100, |repository, copying| {
            let outside = tempfile::tempdir().unwrap();
            let tree = copying.top.join("tree");
            symlink(outside.path(), tree.join("evil")).unwrap();
            fs::write(tree.join("file"), "").unwrap();
            for path in ["evil", "evil/sub", "evil/a/b", "real", "file", "file/sub"] {
                let refused = copying.one(repository, &tree.join(path)).unwrap_err();
                let refused = refused.to_string();
                assert!(
                    refused.contains("something else is at its place"),
                    "{path}: {refused}"
                );
            }
            assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
            copying.one(repository, &tree.join("real/sub")).unwrap();
            assert_eq!(fs::read(tree.join("real/sub/hook")).unwrap(), b"evil");
        });
    }

    #[test]
    fn all_copies_together_have_a_limit() {
        with(7, |repository, copying| {
            copying.one(repository, &copying.top.join("one")).unwrap();
            let refused = copying.one(repository, &copying.top.join("two"));
            let refused = refused.unwrap_err().to_string();
            assert!(
                refused.contains("all git repositories together"),
                "{refused}"
            );
        });
    }
}
