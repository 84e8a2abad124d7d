//! Obtains the inputs that a lock names, from a capsule or over the network. The store keeps them.

use std::collections::BTreeSet;

use content::Digest;

use super::base::{self, BaseImage};
use super::cargo::{self, RegistryCheck};
use super::debian::{self, AllEvidence};
use super::git::repositories::{self, Staged};
use super::go;
use super::supply::Supply;
use super::wanted::{Image, Named, Wanted};
use super::{capsule, wheels};
use crate::error::Error;
use crate::lock::Lock;
use crate::lock::packages::Package;

/// What is known of the inputs that are in the store now.
pub(super) struct Obtained {
    /// The signed package indexes.
    pub(super) evidence: AllEvidence,
    /// The base of each image.
    pub(super) bases: Vec<Option<BaseImage>>,
    /// The git repositories with crates, if there are any.
    pub(super) repositories: Option<Staged>,
    /// Whether the crates were compared with the public registry, and what else needs a network was checked. Without crates,
    /// there is nothing to compare.
    pub(super) registry: RegistryCheck,
}

/// Obtains the inputs of a lock that building `images` needs and the store does not have. `digest` is that of the lock.
///
/// # Errors
/// An input is missing, or is another than locked, or the work was interrupted.
pub(super) fn obtain(
    wanted: &Wanted,
    lock: &Lock,
    digest: &Digest,
    images: &[Image],
    supply: &Supply<'_>,
) -> Result<Obtained, Error> {
    supply.interrupt.check()?;
    capsule::load_indexes(&wanted.spec, lock, digest, supply)?;
    // Before any other input that the lock names is obtained or read from the store.
    let evidence = debian::verify(lock, &wanted.spec.root, supply)?;
    capsule::load(&wanted.spec, lock, digest, supply)?;
    let packages = [lock.packages.clone(), contained(images)].concat();
    debian::fetch(&packages, &wanted.spec.root, supply)?;
    let architecture = &wanted.spec.root.architecture;
    let bases = images
        .iter()
        .map(|image| gather_base(image, architecture, supply));
    let bases = bases.collect::<Result<_, _>>()?;
    let (registry, repositories) = match &wanted.named {
        Named::Cargo { crates, .. } => (
            cargo::complete(crates, lock.crates(), supply)?
                .and(cargo::check_commits(&lock.repositories, supply)),
            repositories::stage(&crates.repositories, &lock.repositories, supply)?,
        ),
        Named::Go(_) => (go::complete(&lock.modules, supply)?, None),
        Named::Command => (RegistryCheck::Made, None),
    };
    let wheels = images.iter().flat_map(|image| &image.lock.wheels);
    let wheels: BTreeSet<_> = wheels.cloned().collect();
    let wheels: Vec<_> = wheels.into_iter().collect();
    let registry = registry.and(wheels::complete(&wheels, supply)?);
    Ok(Obtained {
        evidence,
        bases,
        repositories,
        registry,
    })
}

/// The packages that images contain, each once.
pub(super) fn contained(images: &[Image]) -> Vec<Package> {
    let packages = images.iter().flat_map(|image| &image.lock.runtime);
    let each: BTreeSet<_> = packages.cloned().collect();
    each.into_iter().collect()
}

/// The base of an image, if there is one: both in `Image.toml` and in the lock.
fn gather_base(
    image: &Image,
    architecture: &str,
    supply: &Supply<'_>,
) -> Result<Option<BaseImage>, Error> {
    match (&image.spec.start.base, &image.lock.base) {
        (None, None) => Ok(None),
        (Some(reference), Some(locked)) => {
            base::gather(reference, locked, architecture, supply).map(Some)
        }
        _ => Err(base::other("only one of Image.toml and Image.lock has one").into()),
    }
}
