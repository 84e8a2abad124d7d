//! The folders and files of a repository that are needed to build a crate: its own folder, those of all crates that it
//! uses by path, and the files of its workspace that cargo reads.

use std::collections::BTreeSet;
use std::path::Path;

use super::error::{SourceError, reading};
use super::go_modules::GoModules;
use super::manifest::{MANIFEST, Manifests};
use super::manifests::Files;
use super::path::{SourcePath, join};
use super::workspace;
use crate::untrusted::shown;

/// The name of cargo's lock.
const LOCK: &str = "Cargo.lock";

/// The needed folders and files, by their paths in the repository.
pub(super) struct Closure {
    /// Folders, with everything below them.
    pub(super) folders: BTreeSet<String>,
    /// Folders with targets that are outside their crates. Manifests and configuration of cargo there are not needed.
    pub(super) target_folders: BTreeSet<String>,
    /// Files outside of these folders; they may be missing.
    pub(super) files: BTreeSet<SourcePath>,
    /// Files and folders with everything below them, which must exist.
    pub(super) inputs: BTreeSet<SourcePath>,
    /// What cargo reads, if cargo builds.
    pub(super) cargo: Option<CargoClosure>,
    /// The modules, if Go builds.
    pub(super) go: Option<GoModules>,
}

/// What cargo reads first.
pub(super) struct CargoClosure {
    /// The manifest in the first folder, or nearest above it.
    pub(super) manifest: SourcePath,
    /// The path where cargo looks for its lock.
    pub(super) lock: SourcePath,
    /// The path of the lock in the commit: in the folder of the crate, if its workspace has no lock.
    pub(super) committed_lock: SourcePath,
}

impl Closure {
    /// The folders of which all files that can be compiled are needed.
    pub(super) fn complete(&self) -> impl Iterator<Item = &str> {
        let folders = self.folders.union(&self.target_folders);
        folders.map(String::as_str)
    }
}

/// The folders and files that the crate in the folder `first`, or nearest above it, needs. The first folder itself is complete.
///
/// # Errors
/// There is no crate, a manifest is missing or invalid, or a path leads out of the repository.
pub(super) fn closure(files: &mut dyn Files, first: &str) -> Result<Closure, SourceError> {
    let mut manifests = Manifests::of(files);
    let mut needed = Needed::default();
    let directory = first;
    let first = home(directory, &mut manifests)?;
    let workspace = workspace::around(first, &mut manifests)?;
    let root = workspace.map(|workspace| {
        needed.open.extend(workspace.members);
        workspace.root
    });
    if let Some(root) = &root {
        needed.add_root(root, &mut manifests)?;
    }
    needed.open.push(first.to_owned());
    needed.follow(&mut manifests)?;
    needed.folders.insert(directory.to_owned());
    let cargo_lock = SourcePath::parse(&join(root.as_deref().unwrap_or(first), LOCK))?;
    let committed_lock = match manifests.files().file(&cargo_lock)? {
        Some(_) => cargo_lock.clone(),
        None => SourcePath::parse(&join(first, LOCK))?,
    };
    Ok(Closure {
        folders: needed.folders,
        target_folders: needed.target_folders,
        files: needed.files,
        inputs: BTreeSet::new(),
        cargo: Some(CargoClosure {
            manifest: SourcePath::parse(&join(first, MANIFEST))?,
            lock: cargo_lock,
            committed_lock,
        }),
        go: None,
    })
}

/// The nearest folder with a manifest: `folder` itself, or one above it.
fn home<'a>(folder: &'a str, manifests: &mut Manifests<'_>) -> Result<&'a str, SourceError> {
    for above in Path::new(folder).ancestors().filter_map(Path::to_str) {
        if manifests.get(above)?.is_some() {
            return Ok(above);
        }
    }
    let folder = shown(match folder {
        "" => ".",
        folder => folder,
    });
    Err(reading(format_args!(
        "no Cargo.toml is in {folder} or above it, so that it is not a source of cargo"
    ))
    .hinting("commit Cargo.toml, or write kind = \"go\" or kind = \"command\" in [build] for another program")
    .into())
}

#[derive(Default)]
struct Needed {
    open: Vec<String>,
    folders: BTreeSet<String>,
    target_folders: BTreeSet<String>,
    files: BTreeSet<SourcePath>,
}

impl Needed {
    /// Adds the root of a workspace. If it is not a crate, cargo reads only its manifest.
    fn add_root(&mut self, root: &str, manifests: &mut Manifests<'_>) -> Result<(), SourceError> {
        let manifest = manifests.expect(root)?;
        self.open.extend(manifest.offered_paths()?);
        match manifest.has_package() {
            true => self.open.push(root.to_owned()),
            false => drop(self.files.insert(SourcePath::parse(&join(root, MANIFEST))?)),
        }
        Ok(())
    }

    fn follow(&mut self, manifests: &mut Manifests<'_>) -> Result<(), SourceError> {
        while let Some(folder) = self.open.pop() {
            if !self.folders.insert(folder.clone()) {
                continue;
            }
            let manifest = manifests.expect(&folder)?;
            let mut root = None;
            if manifest.inherits()
                && let Some(found) = workspace::root_of(&folder, manifests)?
            {
                self.add_root(&found, manifests)?;
                root = Some(manifests.expect(&found)?);
            }
            self.target_folders.extend(manifest.target_folders());
            self.open.extend(manifest.offered_paths()?);
            self.open
                .extend(manifest.path_dependencies(root.as_deref())?);
        }
        Ok(())
    }
}
