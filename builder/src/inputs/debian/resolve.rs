//! The packages of a build root: resolved by the archive's signed index for a lock, verified by the locked index and
//! fetched for a build.

use super::chain;
use super::error::{ArchiveError, ChainError};
use super::{Archive, Evidence, obtain};
use crate::inputs::Supply;
use crate::inputs::store::StoreError;
use crate::lock::Lock;
use crate::lock::index::SignedIndex;
use crate::lock::packages::Package;
use crate::lock::time::Time;
use crate::spec::{RootSpec, RuntimeSpec};

/// The packages for a new lock.
pub(in crate::inputs) struct Resolved {
    /// The signed index that names them.
    pub(in crate::inputs) index: SignedIndex,
    /// The packages of the build root, by name.
    pub(in crate::inputs) packages: Vec<Package>,
    /// The packages that the image contains, by name.
    pub(in crate::inputs) runtime: Vec<Package>,
}

/// Resolves the packages of a build root and of an image by the index that the archive has now, which must be valid at `now`, and
/// fetches them into the store.
///
/// # Errors
/// The archive cannot be found or reached, its index cannot be verified, or it does not have a package.
pub(in crate::inputs) fn resolve(
    root: &RootSpec,
    runtime: &RuntimeSpec,
    supply: &Supply<'_>,
    now: Time,
) -> Result<Resolved, ArchiveError> {
    let archive = Archive::find(&supply.archive, root)?;
    supply.step("reading the archive's signed index")?;
    let served = archive.resolve(root, supply.archive.signers, now, supply.interrupt)?;
    let packages = served.index.closure(&root.packages);
    let packages = packages.map_err(ChainError::Broken)?;
    let runtime = served
        .index
        .closure_without(&runtime.packages, &runtime.exclude);
    let runtime = runtime.map_err(ChainError::Broken)?;
    let index = served.evidence.index(served.signatures, now);
    obtain::keep(&served.evidence, &index, root, supply)?;
    let all = [&packages[..], &runtime].concat();
    fetch_from(&archive, &missing(&all, supply)?, supply)?;
    Ok(Resolved {
        index,
        packages,
        runtime,
    })
}

/// Verifies that the archive has signed each package of a lock; offline, if the files of the locked index are in the
/// store or at hand. Returns these files.
///
/// # Errors
/// [`ArchiveError::Locked`] if the archive has not signed them; otherwise the files cannot be obtained.
pub(in crate::inputs) fn verify(
    lock: &Lock,
    root: &RootSpec,
    supply: &Supply<'_>,
) -> Result<Evidence, ArchiveError> {
    let signers = supply.archive.signers;
    supply.step("checking the archive's signature on the packages")?;
    // Nothing is fetched for a lock that names no trusted key.
    chain::trusted(&lock.index, signers).map_err(ArchiveError::Locked)?;
    let evidence = obtain::obtain(&lock.index, root, supply)?;
    let packages = [&lock.packages[..], &lock.runtime].concat();
    chain::check(&evidence, &lock.index, &packages, root, signers).map_err(ArchiveError::Locked)?;
    Ok(evidence)
}

/// Fetches the packages that the store does not have.
///
/// # Errors
/// The archive cannot be found or reached, or has other packages than locked.
pub(in crate::inputs) fn fetch(
    packages: &[Package],
    root: &RootSpec,
    supply: &Supply<'_>,
) -> Result<(), ArchiveError> {
    supply.interrupt.check()?;
    let missing = missing(packages, supply)?;
    match missing.is_empty() {
        true => Ok(()),
        false => fetch_from(&Archive::find(&supply.archive, root)?, &missing, supply),
    }
}

fn fetch_from(
    archive: &Archive,
    missing: &[&Package],
    supply: &Supply<'_>,
) -> Result<(), ArchiveError> {
    for (index, package) in missing.iter().enumerate() {
        let (count, all) = (index + 1, missing.len());
        let name = &package.name;
        supply.step(&format!("fetching package {count} of {all}: {name}"))?;
        archive.fetch_package(package, supply.store, supply.interrupt)?;
    }
    Ok(())
}

/// The packages that the store does not have.
fn missing<'a>(
    packages: &'a [Package],
    supply: &Supply<'_>,
) -> Result<Vec<&'a Package>, StoreError> {
    let mut missing = Vec::new();
    for package in packages {
        if supply.store.size(&package.key())? != Some(package.size) {
            missing.push(package);
        }
    }
    Ok(missing)
}
