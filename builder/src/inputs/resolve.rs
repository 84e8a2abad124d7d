//! Resolves the inputs of a directory to its lock.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use attest::ImageName;
use console::hint::Hinted;
use content::Digest;

use super::compiler::Compiler;
use super::debian;
use super::debian::root::{self, Contents};
use super::git;
use super::go;
use super::supply::Supply;
use super::wanted::{Named, Wanted};
use super::{archive, base, cargo, wheels};
use crate::at::At;
use crate::error::Error;
use crate::lock::crates::Crate;
use crate::lock::image::Contained;
use crate::lock::modules::Module;
use crate::lock::packages::Package;
use crate::lock::{self, Lock, time::Time};
use crate::spec::BuildSpec;

/// Resolves every input of a directory: packages by the archive's signed indexes, which must be valid at `now`, and crates
/// by `Cargo.lock`. All are fetched into the store. The lock names the digest of the build root; to compute it, the
/// packages are unpacked, unless an earlier lock of the same packages names the digest.
///
/// # Errors
/// An input cannot be found, fetched, verified or kept, or the work was interrupted.
pub fn resolve(directory: &Path, supply: &Supply<'_>, now: Time) -> Result<Lock, Error> {
    let wanted = Wanted::read(directory)?;
    supply.store.remember(directory)?;
    let earlier = Wanted::earlier_lock(directory);
    let images = wanted.spec.images.iter();
    let runtime: Vec<_> = images.map(|image| &image.parts.runtime).collect();
    let resolved = debian::resolve(&wanted.spec.root, &runtime, supply, now)?;
    if matches!(wanted.spec.build, BuildSpec::Cargo(_)) {
        debian::check_for_cargo(&resolved.packages, &wanted.spec.archives)?;
    }
    let archives = archive::resolve(&wanted.spec.archives, earlier.as_ref(), supply)?;
    let folders = archive::folders(&wanted.spec.archives, supply.store);
    let compiler = Compiler::find(&folders, &resolved.packages)?;
    if let (Some(compiler), Some(required)) = (&compiler, &wanted.rust_version) {
        compiler.check(required)?;
    }
    let known = earlier.as_ref().map_or(&[][..], |lock| &lock.repositories);
    let repositories = git::repositories::resolve(wanted.named.repositories(), known, supply)?;
    let packages: BTreeSet<_> = resolved.runtime.iter().flatten().cloned().collect();
    let packages = resolved.packages.iter().cloned().chain(packages);
    let packages: Vec<_> = packages.collect();
    debian::fetch(&packages, &wanted.spec.root, supply)?;
    let named = fetch(&wanted.named, earlier.as_ref(), supply)?;
    if let (Some(compiler), Named::Cargo { configuration, .. }) = (&compiler, &wanted.named) {
        let crates = named.crates.as_deref().unwrap_or_default();
        let versions = cargo::rust_versions(crates, supply)?;
        let notes = [
            compiler.unlike(configuration),
            compiler.older_than(&versions),
        ];
        notes.iter().flatten().for_each(|note| supply.note(note));
    }
    let images = of_images(&wanted, resolved.runtime, supply)?;
    let known = earlier
        .as_ref()
        .filter(|lock| lock.packages == resolved.packages);
    let contents = Contents {
        packages: &resolved.packages,
        toolchain: wanted.spec.root.toolchain,
    };
    let root = supply.during("check the build root", |_| {
        root::resolve(known.map(|lock| &lock.root), contents, supply)
    })?;
    let lock = Lock {
        version: Lock::VERSION,
        spec: wanted.spec_digest,
        cargo_lock: named.cargo_lock,
        go_sum: named.go_sum,
        root,
        indexes: resolved
            .indexes
            .dated_as(earlier.as_ref().map(|lock| &lock.indexes)),
        base: None,
        packages: resolved.packages,
        runtime: Vec::new(),
        archives,
        crates: named.crates,
        repositories,
        modules: named.modules,
        wheels: Vec::new(),
        images: Vec::new(),
    };
    let lock = lock.with(images);
    wanted.check_wheels(&lock)?;
    Ok(lock)
}

/// What each image takes from outside, besides the inputs of the build.
fn of_images(
    wanted: &Wanted,
    runtime: Vec<Vec<Package>>,
    supply: &Supply<'_>,
) -> Result<Vec<(Option<ImageName>, Contained)>, Error> {
    let architecture = &wanted.spec.root.architecture;
    let images = wanted.spec.images.iter().zip(&wanted.wheels).zip(runtime);
    let images = images.map(|((image, wheels), runtime)| {
        let wheels = wheels::resolve(wheels, &runtime, architecture, supply)?;
        let base = image.start.base.as_ref();
        let base = base.map(|reference| base::resolve(reference, architecture, supply));
        let contained = Contained {
            base: base.transpose()?,
            runtime,
            wheels,
        };
        Ok((image.name.clone(), contained))
    });
    images.collect()
}

/// The parts of a lock that depend on the kind of build.
#[derive(Default)]
struct Fetched {
    cargo_lock: Option<Digest>,
    crates: Option<Vec<Crate>>,
    go_sum: Option<Digest>,
    modules: Vec<Module>,
}

/// Fetches what the files of the build's kind name. What an earlier lock has is not fetched again.
fn fetch(named: &Named, earlier: Option<&Lock>, supply: &Supply<'_>) -> Result<Fetched, Error> {
    match named {
        Named::Cargo { crates, digest, .. } => Ok(Fetched {
            cargo_lock: Some(*digest),
            crates: Some(cargo::fetch(crates, supply)?),
            ..Fetched::default()
        }),
        Named::Go(files) => {
            let earlier = earlier.map_or(&[][..], |lock| &lock.modules);
            let mut modules = go::fetch(&files.sums, earlier, supply)?;
            modules.push(go::fetch_toolchain(&files.toolchain, earlier, supply)?);
            modules.sort();
            Ok(Fetched {
                go_sum: Some(files.digest),
                modules,
                ..Fetched::default()
            })
        }
        Named::Command => Ok(Fetched::default()),
    }
}

/// Writes a lock into a directory atomically. Returns its path.
///
/// # Errors
/// The directory cannot be written.
pub fn write_lock(lock: &Lock, directory: &Path) -> Result<PathBuf, Error> {
    let text = lock.to_text();
    let text = text.map_err(|error| Hinted::doing("writing Image.lock", error))?;
    let path = directory.join(lock::FILE);
    write(&path, directory, &text).map_err(At::writing(&path))?;
    Ok(path)
}

fn write(path: &Path, directory: &Path, text: &str) -> io::Result<()> {
    let file = tempfile::NamedTempFile::new_in(directory)?;
    fs::write(file.path(), text)?;
    fs::set_permissions(file.path(), Permissions::from_mode(0o644))?;
    file.persist(path)?;
    Ok(())
}
