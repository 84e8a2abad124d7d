//! The public registry, through the user's cargo. Cargo never reads a manifest of the source: it runs on a generated
//! package that depends on exactly the locked crates. The lock of this package names no digests, so the digests that cargo
//! writes into it are those of the registry.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use console::hint::Hinted;
use console::progress::Step;
use content::{Digest, limits};
use scratch::Scratch;
use serde::Deserialize;

use super::absent::absent;
use super::archive::folder;
use super::cargo_lock::{self, CargoLock};
use crate::at::{self, At};
use crate::host::{Cargo, HostError};
use crate::inputs::Supply;
use crate::inputs::error::DependencyError;
use crate::interrupt::Interrupt;
use crate::lock::crates::Named;

/// The generated package. It enables no features, so it needs no crates other than those of the lock.
const PACKAGE: &str = "\
[package]
name = \"locked-crates\"
version = \"0.0.0\"
edition = \"2018\"

[lib]
path = \"lib.rs\"

[workspace]

[dependencies]
";

/// The generated package, with which cargo looks up the locked crates in the registry.
pub(super) struct Registry<'a> {
    scratch: Scratch,
    cargo: Cargo,
    interrupt: &'a Interrupt,
    name: String,
    digests: BTreeMap<(String, String), Option<Digest>>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Unpacked>,
}

/// A crate that cargo has unpacked.
#[derive(Deserialize)]
struct Unpacked {
    name: String,
    version: String,
    source: Option<String>,
    manifest_path: PathBuf,
}

impl<'a> Registry<'a> {
    /// Runs cargo to look up the crates of a lock: over the network, or else in its copy of the registry's index.
    ///
    /// # Errors
    /// The registry does not have one of them, cargo is missing or cannot find them, or the work was interrupted.
    pub(super) fn ask(
        lock: &CargoLock,
        cargo: Cargo,
        supply: &Supply<'a>,
    ) -> Result<Self, DependencyError> {
        let mut registry = Self {
            scratch: supply.store.scratch()?,
            cargo,
            interrupt: supply.interrupt,
            name: lock.registry.clone().unwrap_or_default(),
            digests: BTreeMap::new(),
        };
        registry.write(lock)?;
        if let Err(error) = registry.update() {
            registry.interrupt.check()?;
            if let Some(one) = absent(&error, lock) {
                return Err(DependencyError::refused(
                    format_args!("checking crate {one}: the registry has no such crate or version"),
                    "either Cargo.lock was edited, or cargo is configured to use a registry that lacks it",
                ));
            }
            registry.cargo = registry.cargo.offline();
            // The error of the request over the network is more useful.
            registry.update().map_err(|_| error)?;
        }
        let completed = at::read(&registry.path("Cargo.lock"), limits::DOCUMENT)?;
        let completed = String::from_utf8_lossy(&completed);
        registry.digests = cargo_lock::digests(&completed, &registry.name)?;
        Ok(registry)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.scratch.path().join(file)
    }

    fn write(&self, lock: &CargoLock) -> Result<(), DependencyError> {
        let files = [
            ("Cargo.toml", manifest(&lock.crates)),
            ("Cargo.lock", lock.without_digests()),
            ("lib.rs", String::new()),
        ];
        for (name, text) in files {
            let path = self.path(name);
            fs::write(&path, text).map_err(At::writing(&path))?;
        }
        Ok(())
    }

    /// Runs cargo to complete the lock of the generated package.
    fn update(&self) -> Result<(), HostError> {
        let manifest = self.path("Cargo.toml");
        let arguments = ["--workspace"];
        let said = self
            .cargo
            .run("update", &arguments, &manifest, self.interrupt, &|_| {});
        said.map(drop)
    }

    /// Compares the digest of a locked crate with the registry's.
    ///
    /// # Errors
    /// The digests differ, or the registry does not have the crate.
    pub(super) fn compare(&self, one: &Named) -> Result<(), DependencyError> {
        let key = (one.name.to_string(), one.version.to_string());
        match self.digests.get(&key).copied().flatten() {
            Some(digest) if digest == one.sha256 => Ok(()),
            Some(expected) => Err(DependencyError::refused(
                format_args!(
                    "checking crate {one}: expected {expected}, the digest in the registry, found {} in Cargo.lock",
                    one.sha256
                ),
                "either Cargo.lock was edited, or cargo is configured to use a registry with other crates",
            )),
            None => Err(Hinted::new(format_args!(
                "checking crate {one}: cargo reports no registry digest for it"
            ))
            .hinting("check that the registry in cargo's configuration is complete")
            .into()),
        }
    }

    /// Runs cargo to fetch and unpack the crates, which it names in this step.
    ///
    /// # Errors
    /// cargo cannot fetch them, or its answer is invalid.
    pub(super) fn manifests(&self, step: &Step) -> Result<Manifests, DependencyError> {
        let arguments = ["--locked", "--format-version", "1"];
        let manifest = self.path("Cargo.toml");
        let hear = |line: &str| {
            if line.trim_start().starts_with("Downloaded ") {
                step.line(line);
            }
        };
        let said = self
            .cargo
            .run("metadata", &arguments, &manifest, self.interrupt, &hear)?;
        let metadata: Metadata = serde_json::from_slice(&said)
            .map_err(|error| Hinted::doing("reading the output of cargo metadata", error))?;
        let registered = metadata.packages.into_iter();
        let registered = registered.filter(|one| one.source.as_ref() == Some(&self.name));
        let manifests = registered.map(|one| ((one.name, one.version), one.manifest_path));
        Ok(Manifests(manifests.collect()))
    }
}

/// The manifests of the crates that cargo has unpacked.
pub(super) struct Manifests(BTreeMap<(String, String), PathBuf>);

impl Manifests {
    pub(super) fn of(&self, one: &Named) -> Option<&Path> {
        let key = (one.name.to_string(), one.version.to_string());
        self.0.get(&key).map(PathBuf::as_path)
    }
}

/// The archive of a crate whose manifest cargo has unpacked to `CARGO_HOME/registry/src/REGISTRY/NAME-VERSION`
/// (The Cargo Book, "Cargo Home"). The path names the folder of the public registry, or of its replacement in the user's
/// configuration, in cargo's cache. The folders of other registries are not used: their owners decide what is in them.
pub(super) fn archive(one: &Named, manifest: &Path) -> Option<PathBuf> {
    let registry = manifest.parent()?.parent()?;
    let (sources, name) = (registry.parent()?, registry.file_name()?);
    let cache = match sources.ends_with("registry/src") {
        true => sources.with_file_name("cache"),
        false => return None,
    };
    let path = cache.join(name).join(format!("{}.crate", folder(one)));
    path.is_file().then_some(path)
}

/// The manifest of the generated package.
fn manifest(crates: &[Named]) -> String {
    let mut text = PACKAGE.to_owned();
    for (index, one) in crates.iter().enumerate() {
        let (name, version) = (&one.name, one.version.without_build());
        text += &format!(
            "c{index} = {{ package = \"{name}\", version = \"={version}\", default-features = false }}\n"
        );
    }
    text
}
