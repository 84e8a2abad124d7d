//! The source: a crate of the last commit, and the crates that it uses by path. It is read from git's objects, never
//! from the working tree, and written with fixed modes.

mod checkout;
mod chosen;
mod closure;
mod command;
mod committed;
mod configuration;
mod entry;
mod error;
mod filtered;
mod go;
mod go_modules;
mod kind;
mod limits;
mod links;
mod manifest;
mod manifests;
mod name;
mod objects;
mod origins;
mod path;
pub(crate) mod repositories;
pub(crate) mod survey;
mod symbolic;
mod workspace;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use content::{Digest, Hasher};

use crate::host::{HostError, git};
use crate::spec::CargoSpec;
use crate::untrusted::shown;
pub use chosen::Chosen;
use closure::Closure;
use committed::Committed;
pub use configuration::Configuration;
pub(crate) use configuration::{Answer, Effect};
pub(super) use configuration::{check, toolchain};
use entry::{Listed, Mode};
pub use error::SourceError;
use error::{UNCOMMITTED, reading};
pub use go_modules::{Dependencies, GoModule, GoModules};
use manifest::Manifests;
use manifests::{Files, WorkingTree};
use objects::Objects;
use path::{SourcePath, path_of};

/// Maximum number of files that an error names.
const NAMED: usize = 5;

/// A staged source.
#[derive(Clone, Debug)]
pub struct Source {
    /// The commit, in hex.
    pub commit: String,
    /// When it was made, as its committer's machine has it, in seconds since 1970. Nothing in the image depends on it.
    pub time: u64,
    /// SHA-256 over paths, modes and contents of all staged files; git's own names are SHA-1.
    pub tree: Digest,
    /// The folder that it is staged in; paths below are those of the repository.
    pub staged: PathBuf,
    /// The directory of `Image.toml`, relative to the repository.
    pub directory: PathBuf,
    /// What cargo reads, if cargo builds.
    pub cargo: Option<CargoFiles>,
    /// The modules of the source, if Go builds.
    pub go: Option<GoModules>,
    /// The folders that are staged completely, relative to the repository.
    pub folders: BTreeSet<PathBuf>,
    /// Its submodules, relative to the repository. Their folders are empty.
    pub submodules: Vec<String>,
}

/// Stages the crate in `directory`, as it is in the last commit of its repository, into the new folder `into`. The
/// working tree is not read, but git must call it clean.
///
/// # Errors
/// There is no repository, files are not committed, the source has symbolic links that lead out of it, the content of an
/// object does not match its name, or the source is too large.
pub fn stage(directory: &Path, into: &Path) -> Result<Source, SourceError> {
    let (top, prefix) = locate(directory)?;
    links::refuse(&top, directory)?;
    let head = git(&top, "rev-parse", &["--verify", "--quiet", "HEAD"]);
    let commit = line(head.map_err(|error| match error {
        HostError::Failed { .. } => {
            let directory = directory.display();
            reading(format_args!(
                "the repository around {directory} has no commit yet"
            ))
            .hinting(UNCOMMITTED)
        }
        other => other.doing("reading source"),
    })?);
    let mut committed = Committed::open(Objects::open(&top)?, &commit)?;
    let needed = kind::closure(&mut committed, &prefix)?;
    let (files, linked) = list(&mut committed, &needed)?;
    let lists = Lists::of(&needed, &mut committed, &prefix)?;
    clean(&top, &commit, &needed, &linked)?;
    let submodules = files.iter().filter(|file| file.mode == Mode::Submodule);
    let submodules = submodules.map(|file| file.path.to_string()).collect();
    Ok(Source {
        submodules,
        tree: write(&mut committed, &files, into)?,
        commit,
        time: committed.time(),
        staged: into.to_owned(),
        directory: prefix.into(),
        folders: needed.complete().map(PathBuf::from).collect(),
        cargo: lists.cargo,
        go: lists.go,
    })
}

/// The files of a source that name what a build needs, relative to the repository.
#[derive(Clone, Debug)]
pub struct Lists {
    /// What cargo reads, if cargo builds.
    pub cargo: Option<CargoFiles>,
    /// The modules of the source, if Go builds.
    pub go: Option<GoModules>,
}

/// What cargo reads, relative to the repository.
#[derive(Clone, Debug)]
pub struct CargoFiles {
    /// The `Cargo.toml` in the directory of `Image.toml` or nearest above it.
    pub manifest: PathBuf,
    /// The `Cargo.lock` of the crate: that of its workspace, if it is a member of one and the workspace has a lock.
    pub lock: PathBuf,
    /// The configuration of cargo and rustup that would apply in the directory.
    pub configuration: Vec<Configuration>,
}

/// What a lock is resolved from, in the working tree.
#[derive(Clone, Debug)]
pub struct Located {
    /// The folder that the paths of lists are relative to.
    pub top: PathBuf,
    /// The files that name what a build needs.
    pub lists: Lists,
    files: WorkingTree,
    home: String,
}

impl Located {
    /// Checks the names in `Image.toml` against the manifests; `binaries` are those that are compiled.
    ///
    /// # Errors
    /// A manifest cannot be read or parsed.
    pub fn choose(
        &self,
        spec: &CargoSpec,
        binaries: &BTreeSet<&str>,
    ) -> Result<Chosen, SourceError> {
        let mut files = self.files.clone();
        let mut manifests = Manifests::of(&mut files);
        chosen::choose(&self.home, spec, binaries, &mut manifests)
    }
}

impl Lists {
    fn of(needed: &Closure, files: &mut dyn Files, directory: &str) -> Result<Self, SourceError> {
        let cargo = match &needed.cargo {
            None => None,
            Some(cargo) => Some(CargoFiles {
                manifest: cargo.manifest.as_str().into(),
                lock: cargo.lock.as_str().into(),
                configuration: configuration::find(files, directory)?,
            }),
        };
        let go = needed.go.clone();
        Ok(Self { cargo, go })
    }
}

/// Locates what is needed to build `directory` of the working tree.
///
/// # Errors
/// A manifest cannot be read, or names a folder outside the repository.
pub fn located(directory: &Path) -> Result<Located, SourceError> {
    let (mut files, within) = WorkingTree::around(directory)?;
    let needed = kind::closure(&mut files, &within)?;
    let mut lists = Lists::of(&needed, &mut files, &within)?;
    let mut home = String::new();
    if let (Some(cargo), Some(needed)) = (&mut lists.cargo, &needed.cargo) {
        cargo.lock = needed.committed_lock.as_str().into();
        home = needed.manifest.folder().to_owned();
    }
    Ok(Located {
        top: files.0.clone(),
        lists,
        files,
        home,
    })
}

/// The top folder of the repository around `directory`, and the path of `directory` in it.
fn locate(directory: &Path) -> Result<(PathBuf, String), SourceError> {
    fs::metadata(directory).map_err(SourceError::at(directory))?;
    let ask = |what: &str| {
        let answer = git(directory, "rev-parse", &[what]);
        answer.map_err(|error| match error {
            HostError::Failed { .. } => {
                let directory = directory.display();
                reading(format_args!(
                    "{directory} is not in a git repository that can be read: {error}"
                ))
                .hinting("build in a clone that belongs to you")
            }
            other => other.doing("reading source"),
        })
    };
    let top = path_of(ask("--show-toplevel")?);
    let prefix = line(ask("--show-prefix")?);
    Ok((top, prefix.trim_end_matches('/').to_owned()))
}

/// The files to stage, by their staged paths, and the paths of those among them that only links lead to.
fn list(
    committed: &mut Committed,
    needed: &Closure,
) -> Result<(Vec<Listed>, Vec<String>), SourceError> {
    let mut files = committed.files_below(&needed.folders)?;
    files.extend(committed.compiled_below(&needed.target_folders)?);
    for path in &needed.files {
        files.extend(committed.listed(path)?);
    }
    for path in &needed.inputs {
        files.extend(input(committed, path)?);
    }
    if let Some(cargo) = &needed.cargo {
        // Cargo looks for the lock of a member in the root of its workspace.
        let lock = committed.listed(&cargo.committed_lock)?;
        files.extend(lock.map(|lock| Listed {
            path: cargo.lock.clone(),
            ..lock
        }));
    }
    let linked = symbolic::follow(committed, &mut files)?;
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files.dedup_by(|one, other| one.path == other.path);
    Ok((files, linked))
}

/// The file at `path`, or all files of the folder there.
fn input(committed: &mut Committed, path: &SourcePath) -> Result<Vec<Listed>, SourceError> {
    if committed.is_folder(path)? {
        return committed.files_below(&[path.as_str().to_owned()].into());
    }
    let listed = committed.listed(path)?;
    let listed = listed.ok_or_else(|| {
        let path = shown(path.as_str());
        reading(format_args!(
            "the commit has no file or folder {path}, which Image.toml names"
        ))
        .hinting("correct `inputs` or `source` in Image.toml, or commit the file")
    })?;
    Ok(vec![listed])
}

/// Checks that the working tree has no changes in the staged files.
fn clean(top: &Path, commit: &str, needed: &Closure, linked: &[String]) -> Result<(), SourceError> {
    let folders: BTreeSet<_> = needed.complete().collect();
    let files = needed.files.iter().chain(&needed.inputs);
    let files = files.map(|path| path.as_str());
    let lock = needed
        .cargo
        .iter()
        .map(|cargo| cargo.committed_lock.as_str());
    let linked = linked.iter().map(String::as_str);
    let others = files.chain(lock).chain(linked);
    let paths: Vec<_> = match folders.contains("") {
        true => Vec::new(),
        false => folders.into_iter().chain(others).collect(),
    };
    let mut differ = checkout::changed(top, commit, &paths)?;
    // git reports a file twice that is removed from its index and exists.
    differ.dedup();
    if differ.is_empty() {
        return Ok(());
    }
    let more = match differ.len() > NAMED {
        true => " and more",
        false => "",
    };
    let named: Vec<_> = differ.iter().take(NAMED).map(|file| shown(file)).collect();
    let files = named.join(", ");
    Err(reading(format_args!("uncommitted files: {files}{more}"))
        .hinting("the last commit is built: commit or discard these changes")
        .into())
}

/// Writes the files into the empty folder `into`. Returns the digest over them.
fn write(committed: &mut Committed, files: &[Listed], into: &Path) -> Result<Digest, SourceError> {
    let mut tree = Hasher::new();
    for file in files {
        let found = match file.mode {
            Mode::Submodule => {
                write_one(file, &[], into)?;
                file.object.to_string()
            }
            Mode::Plain | Mode::Executable | Mode::Link => {
                let bytes = committed.read(file)?;
                write_one(file, &bytes, into)?;
                Digest::of(&bytes).hex().to_string()
            }
        };
        let mode = file.mode.bits();
        tree.update(format!("{mode:o} {found} {}\0", file.path).as_bytes());
    }
    let mut links = files.iter().filter(|file| file.mode == Mode::Link);
    links.try_for_each(|link| symbolic::check(&link.path, into))?;
    Ok(tree.finish())
}

fn write_one(file: &Listed, bytes: &[u8], into: &Path) -> Result<(), SourceError> {
    let path = into.join(&file.path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(SourceError::at(parent))?;
    }
    let mode = fs::Permissions::from_mode(file.mode.bits());
    let written = match file.mode {
        Mode::Link => symlink(OsStr::from_bytes(bytes), &path),
        Mode::Plain | Mode::Executable => {
            fs::write(&path, bytes).and_then(|()| fs::set_permissions(&path, mode))
        }
        // As git writes a submodule that is not fetched.
        Mode::Submodule => fs::create_dir(&path),
    };
    written.map_err(SourceError::at(&path))
}

fn line(output: Vec<u8>) -> String {
    String::from_utf8_lossy(&output)
        .trim_end_matches('\n')
        .to_owned()
}

#[cfg(test)]
mod tests;
