//! Fetches crates into the store, if the public registry has them with that name, version and digest.

use std::path::Path;

use console::hint::Hinted;
use console::progress::Step;
use content::{Digest, ReadError};
use serde::Serialize;

use super::archive;
use super::cargo_lock::CargoLock;
use super::registry::{self, Manifests, Registry};
use crate::at;
use crate::host::{Cargo, Patience};
use crate::inputs::Supply;
use crate::inputs::error::DependencyError;
use crate::inputs::store::{Store, StoreError};
use crate::lock::crates::{ARCHIVE, Crate, Named};
use crate::lock::repository::Repository;

/// Whether the digests of crates were compared with those in the registry.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RegistryCheck {
    /// They were compared, and are equal.
    Made,
    /// They were not compared, because cargo could not read the registry, or because they come from a capsule. In the first case,
    /// they were in the store already, and were compared when they were stored.
    NotMade {
        /// The error message of cargo, or that a capsule was used.
        reason: String,
    },
}

impl RegistryCheck {
    /// Both checks as one.
    pub(in crate::inputs) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Made, check) | (check, Self::Made) => check,
            (check, other) if check == other => check,
            (Self::NotMade { reason }, Self::NotMade { reason: other }) => Self::NotMade {
                reason: format!("{reason}; {other}"),
            },
        }
    }

    /// With a capsule, nothing is compared.
    pub(in crate::inputs) fn offline(capsule: &str) -> Self {
        let reason = format!("built from the capsule {capsule}, without network");
        Self::NotMade { reason }
    }

    /// Warns the user if the check was not made.
    pub(in crate::inputs) fn tell(&self, what: &str, supply: &Supply<'_>) {
        if let Self::NotMade { reason } = self {
            supply.note(&format!("{what} not compared with the registry: {reason}"));
        }
    }
}

/// Fetches every crate of a `Cargo.lock` into the store, and compares them with the public registry.
///
/// # Errors
/// As [`obtain`], or the store cannot be read.
pub(in crate::inputs) fn fetch(
    lock: &CargoLock,
    supply: &Supply<'_>,
) -> Result<Vec<Crate>, DependencyError> {
    let store = supply.store;
    let mut missing = Vec::new();
    for one in &lock.crates {
        if kept(one, store)?.is_none() {
            missing.push(one.clone());
        }
    }
    obtain(lock, &missing, supply)?;
    lock.crates.iter().map(|one| locked(one, store)).collect()
}

/// Fetches every locked crate into the store, and compares them with the public registry.
///
/// # Errors
/// As [`obtain`].
pub(in crate::inputs) fn complete(
    lock: &CargoLock,
    crates: &[Crate],
    supply: &Supply<'_>,
) -> Result<RegistryCheck, DependencyError> {
    let mut missing = Vec::new();
    for one in crates {
        if supply.store.size(&one.key())? != Some(one.size) {
            missing.push(one.named());
        }
    }
    obtain(lock, &missing, supply)
}

/// Whether it was checked that the commits of git repositories have the locked files: a capsule has no commits.
pub(in crate::inputs) fn check_commits(
    locked: &[Repository],
    supply: &Supply<'_>,
) -> RegistryCheck {
    match supply.capsule.filter(|_| !locked.is_empty()) {
        None => RegistryCheck::Made,
        Some(capsule) => {
            supply.note("note: the commits of git repositories are not checked");
            RegistryCheck::offline(capsule.name())
        }
    }
}

/// The crates that name a version of Rust in their manifests, and the version. The store has them.
///
/// # Errors
/// The store cannot be read, or the work was interrupted.
pub(in crate::inputs) fn rust_versions(
    crates: &[Crate],
    supply: &Supply<'_>,
) -> Result<Vec<(Named, String)>, DependencyError> {
    let mut found = Vec::new();
    for one in crates {
        supply.interrupt.check()?;
        let (named, bytes) = (one.named(), supply.store.read(&one.key(), one.size)?);
        let version = archive::rust_version(&named, &bytes);
        found.extend(version.map(|version| (named, version)));
    }
    Ok(found)
}

fn locked(one: &Named, store: &Store) -> Result<Crate, DependencyError> {
    Ok(Crate {
        name: one.name.clone(),
        version: one.version.clone(),
        sha256: one.sha256,
        size: kept(one, store)?.ok_or_else(|| no_archive(one, None))?,
    })
}

/// The size of the archive in the store, which is read and checked; `None` if it is missing or damaged.
fn kept(one: &Named, store: &Store) -> Result<Option<u64>, DependencyError> {
    let size = store.size(&one.key())?;
    let Some(size) = size.filter(|size| *size <= ARCHIVE) else {
        return Ok(None);
    };
    match store.read(&one.key(), size) {
        Ok(_) => Ok(Some(size)),
        Err(StoreError::Content {
            source: ReadError::Check(_),
            ..
        }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Compares all crates of a lock with the public registry, and adds the missing ones to the store.
///
/// # Errors
/// The registry has other crates, cargo cannot fetch them, or an archive is not that of its crate.
fn obtain(
    lock: &CargoLock,
    missing: &[Named],
    supply: &Supply<'_>,
) -> Result<RegistryCheck, DependencyError> {
    if lock.crates.is_empty() {
        return Ok(RegistryCheck::Made);
    }
    if let Some(capsule) = supply.capsule {
        if let Some(one) = missing.first() {
            supply.check_network(format_args!("crate {one}"))?;
        }
        let check = RegistryCheck::offline(capsule.name());
        check.tell("crates are", supply);
        return Ok(check);
    }
    let name = match missing.is_empty() {
        true => "compare crates with the registry",
        false => "fetch crates",
    };
    supply.during(name, |step| {
        step.of(missing.len(), []);
        compare(lock, missing, step, supply)
    })
}

/// Compares and adds them over the network, as [`obtain`].
fn compare(
    lock: &CargoLock,
    missing: &[Named],
    step: &Step,
    supply: &Supply<'_>,
) -> Result<RegistryCheck, DependencyError> {
    let cargo = match missing.is_empty() {
        true => Cargo::find()?.patient(Patience::Little),
        false => Cargo::find()?,
    };
    let registry = match Registry::ask(lock, cargo, supply) {
        // The store has all crates: only the comparison is missing.
        Err(DependencyError::Host(error)) if missing.is_empty() => {
            let reason = error.to_string();
            let check = RegistryCheck::NotMade { reason };
            check.tell("crates are", supply);
            return Ok(check);
        }
        asked => asked?,
    };
    let mut all = lock.crates.iter();
    all.try_for_each(|one| registry.compare(one))?;
    if !missing.is_empty() {
        let manifests = registry.manifests(step)?;
        let mut missing = missing.iter();
        missing.try_for_each(|one| keep(one, &manifests, step, supply.store))?;
    }
    Ok(RegistryCheck::Made)
}

/// cargo takes the crate from a source without archives: from `folder`, where it is unpacked.
fn no_archive(one: &Named, folder: Option<&Path>) -> DependencyError {
    let from = folder.map(|folder| format!(": it is unpacked in {}", folder.display()));
    let from = from.unwrap_or_default();
    Hinted::new(format_args!("fetching crate {one}: cargo has no .crate file of it{from}"))
        .hinting(
            "configure cargo to fetch crates from a registry or a mirror of it, not from a vendored folder or a \
             local registry",
        )
        .into()
}

fn keep(
    one: &Named,
    manifests: &Manifests,
    step: &Step,
    store: &Store,
) -> Result<(), DependencyError> {
    let manifest = manifests.of(one);
    let path = manifest.and_then(|manifest| registry::archive(one, manifest));
    let path = path.ok_or_else(|| no_archive(one, manifest.and_then(Path::parent)))?;
    let bytes = at::read(&path, ARCHIVE)?;
    // If the digest differs, the archive is damaged, and the store reports it below.
    if Digest::of(&bytes) == one.sha256 {
        archive::check(one, &bytes)?;
    }
    let size = bytes.len() as u64;
    let kept = store.keep(&one.key(), &bytes[..], size);
    kept.map_err(|error| match error {
        error @ StoreError::Came { .. } => Hinted::from_error(error)
            .hinting("remove that file from CARGO_HOME/registry/cache; it is fetched again")
            .into(),
        other => DependencyError::from(other),
    })?;
    step.add(1, size);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_damaged_crate_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let one = Named {
            name: "c".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            sha256: Digest::of(b"text"),
        };
        assert_eq!(kept(&one, &store).unwrap(), None);
        store.keep(&one.key(), &b"text"[..], 4).unwrap();
        assert_eq!(kept(&one, &store).unwrap(), Some(4));
        for damage in ["text and more", "taxt"] {
            fs::write(store.path(&one.key()), damage).unwrap();
            assert_eq!(kept(&one, &store).unwrap(), None);
        }
    }
}
