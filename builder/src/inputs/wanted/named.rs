//! The inputs that the files of each kind of build name.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use console::hint::Hinted;
use content::Digest;

use super::check_digest;
use crate::at::At;
use crate::error::Error;
use crate::inputs::cargo::{CargoLock, GitSource};
use crate::inputs::git::{self, CargoFiles, Configuration, Dependencies, GoModules, Lists};
use crate::inputs::go::{self, GoFiles};
use crate::inputs::text::read;
use crate::lock::crates::Crate;
use crate::lock::modules::Module;
use crate::lock::{self, Lock};
use crate::spec::{BuildSpec, CargoSpec, GoSpec, Spec};

/// What the files of a kind of build name.
#[derive(Clone, Debug)]
pub enum Named {
    /// Cargo: the crates.
    Cargo {
        /// `Cargo.lock`.
        crates: CargoLock,
        /// Its digest.
        digest: Digest,
        /// The configuration of cargo and rustup in the source.
        configuration: Vec<Configuration>,
    },
    /// Go: the modules and the toolchain.
    Go(GoFiles),
    /// A command: nothing.
    Command,
}

impl Named {
    /// Reads the files at these paths below `top`.
    pub(super) fn read(spec: &Spec, top: &Path, lists: &Lists) -> Result<Self, Error> {
        match (&spec.build, &lists.cargo, &lists.go) {
            (BuildSpec::Cargo(spec), Some(files), _) => cargo(spec, top, files),
            (BuildSpec::Go(spec), _, Some(modules)) => Ok(Self::Go(go(spec, top, modules)?)),
            (BuildSpec::Command(_), ..) => Ok(Self::Command),
            (BuildSpec::Cargo(_) | BuildSpec::Go(_), ..) => {
                Err(Hinted::new("reading source: Image.toml changed while it was read").into())
            }
        }
    }

    /// The git repositories with crates.
    pub fn repositories(&self) -> &[GitSource] {
        match self {
            Self::Cargo { crates, .. } => &crates.repositories,
            Self::Go(_) | Self::Command => &[],
        }
    }

    /// Checks that a lock is the lock of these files.
    pub(super) fn check(&self, lock: &Lock) -> Result<(), Hinted> {
        let (cargo_lock, go_sum) = match self {
            Self::Cargo { digest, .. } => (Some(*digest), None),
            Self::Go(files) => (None, Some(files.digest)),
            Self::Command => (None, None),
        };
        check_digest("Cargo.lock", lock.cargo_lock, cargo_lock)?;
        check_digest("go.sum", lock.go_sum, go_sum)?;
        match self {
            Self::Cargo { crates, .. } => {
                // The compiler uses the crates that Cargo.lock names, and provenance names those of the lock.
                let locked: BTreeSet<_> = lock.crates().iter().map(Crate::named).collect();
                let wanted: BTreeSet<_> = crates.crates.iter().cloned().collect();
                same(
                    "crates",
                    "Cargo.lock",
                    locked.symmetric_difference(&wanted).next(),
                )
            }
            Self::Go(files) => {
                // A lock may lack modules that no proxy has. Go fails if it needs one of them.
                let locked: BTreeSet<_> = go::without_toolchain(&lock.modules)
                    .map(Module::sum)
                    .collect();
                let wanted: BTreeSet<_> = files.sums.iter().cloned().collect();
                same("modules", "go.sum", locked.difference(&wanted).next())?;
                check_toolchain(files, lock)
            }
            Self::Command => Ok(()),
        }?;
        let has_others = match self {
            Self::Cargo { .. } => !lock.modules.is_empty(),
            Self::Go(_) => lock.crates.is_some(),
            Self::Command => lock.crates.is_some() || !lock.modules.is_empty(),
        };
        match has_others {
            true => Err(Hinted::new(
                "checking Image.lock: it is the lock of another kind of build",
            )
            .hinting(lock::AGAIN)),
            false => Ok(()),
        }
    }
}

fn same(what: &str, file: &str, other: Option<&impl Display>) -> Result<(), Hinted> {
    match other {
        None => Ok(()),
        Some(first) => Err(Hinted::new(format_args!(
            "checking Image.lock: its {what} differ from those of {file}: {first}"
        ))
        .hinting(lock::AGAIN)),
    }
}

fn check_toolchain(files: &GoFiles, lock: &Lock) -> Result<(), Hinted> {
    let version = &files.toolchain;
    match go::has_toolchain(&lock.modules, version) {
        true => Ok(()),
        false => Err(Hinted::new(format_args!(
            "checking Image.lock: it does not have the toolchain of Go {version}, which Image.toml or go.mod names"
        ))
        .hinting(lock::AGAIN)),
    }
}

fn cargo(spec: &CargoSpec, top: &Path, files: &CargoFiles) -> Result<Named, Error> {
    git::check(&files.configuration, spec)?;
    let text = read(top, &files.lock)?;
    Ok(Named::Cargo {
        crates: CargoLock::parse(&text)?,
        digest: Digest::of(text.as_bytes()),
        configuration: files.configuration.clone(),
    })
}

fn go(spec: &GoSpec, top: &Path, modules: &GoModules) -> Result<GoFiles, Error> {
    let manifests = modules.manifests().into_iter().map(|path| file(top, path));
    let manifests = manifests.collect::<Result<Vec<_>, _>>()?;
    let sums = match modules.dependencies {
        Dependencies::Proxies => modules.sums(),
        Dependencies::Vendored => Vec::new(),
    };
    let sums = sums.into_iter().map(|path| optional(top, path));
    let sums: Vec<_> = sums.collect::<Result<_, _>>()?;
    let sums: Vec<_> = sums.into_iter().flatten().collect();
    Ok(GoFiles::parse(spec, &manifests, &sums)?)
}

fn file(top: &Path, path: PathBuf) -> Result<go::File, Error> {
    let text = read(top, &path)?;
    Ok((path.to_string_lossy().into_owned(), text.into_bytes()))
}

fn optional(top: &Path, path: PathBuf) -> Result<Option<go::File>, Error> {
    match file(top, path) {
        Ok(file) => Ok(Some(file)),
        Err(Error::At(At { source, .. })) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
