//! The build root: Debian packages, unpacked into one folder without running their scripts. The lock names its digest,
//! which is checked before each use. The store keeps it by the packages that it was unpacked from.
//!
//! Documentation, manuals and translations are left out. Modes become 0755 or 0644, by the executable bit; owners and
//! times are ignored. Links that packages expect of the system are added (`links`).

mod links;
mod unpack;

use std::fs;
use std::path::{Path, PathBuf};

use console::hint::Hinted;
use content::{Digest, Hasher};

use crate::at::At;
use crate::inputs::Supply;
use crate::inputs::normalize::normalize;
use crate::inputs::store::{Store, StoreError};
use crate::inputs::tree::{Tree, TreeError, holds};
use crate::interrupt::Interrupted;
use crate::lock::packages::Package;
use crate::spec::Toolchain;
use unpack::Unpacker;

/// Version of the rules by which packages are unpacked and digested. Every change to them must raise it: otherwise a
/// root that was unpacked by older rules would go into a new lock, and no other machine could make it.
const RULES: u32 = 3;

/// A build root that cannot be made, or differs from the locked one.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// A package cannot be read from the store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A package is invalid, the packages unpack to another root than was locked, or a file of the root cannot be
    /// used.
    #[error(transparent)]
    Hinted(#[from] Hinted),
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl RootError {
    /// A hint for the user, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Hinted(error) => error.hint(),
            Self::Interrupted(_) => None,
        }
    }
}

impl From<At> for RootError {
    fn from(at: At) -> Self {
        Hinted::doing("unpacking build root", at).into()
    }
}

impl From<TreeError> for RootError {
    fn from(error: TreeError) -> Self {
        Hinted::doing("checking build root", error).into()
    }
}

/// The hint if packages are not those of the lock.
const OTHER: &str = "Image.lock may have been edited, or written by another version of this program: run \
                     `builder lock` again";

/// What a build root is made of.
#[derive(Clone, Copy, Debug)]
pub struct Contents<'a> {
    /// The packages, by name.
    pub packages: &'a [Package],
    /// The toolchain that they are for, if there is one.
    pub toolchain: Option<Toolchain>,
}

/// The folder with the build root of these packages, which must have the `expected` digest. It is unpacked again if it
/// is missing or has changed.
///
/// # Errors
/// The packages cannot be unpacked, or unpack to another digest, or the work was interrupted.
pub fn prepare(
    expected: &Digest,
    contents: Contents<'_>,
    supply: &Supply<'_>,
) -> Result<PathBuf, RootError> {
    let store = supply.store;
    let folder = folder_of(contents, store);
    if holds(&folder, expected, supply.interrupt)? {
        return Ok(used(contents, folder, store));
    }
    let _alone = store.alone(&store.roots(), supply.interrupt)?;
    // Another process may have made it in the meantime.
    if holds(&folder, expected, supply.interrupt)? {
        return Ok(used(contents, folder, store));
    }
    store.discard(&folder)?;
    let found = unpack(contents, supply)?;
    if found != *expected {
        let changed = format_args!("checking build root: expected {expected}, found {found}");
        return Err(Hinted::new(changed).hinting(OTHER).into());
    }
    match holds(&folder, expected, supply.interrupt)? {
        true => Ok(folder),
        false => Err(StoreError::disturbed("build root", &folder).into()),
    }
}

/// The digest of the build root of these packages. A root that is unpacked already is used if it has the digest
/// `known`, from an earlier lock of the same packages, or that which was recorded when it was unpacked.
///
/// # Errors
/// The packages cannot be unpacked, or the work was interrupted.
pub fn resolve(
    known: Option<&Digest>,
    contents: Contents<'_>,
    supply: &Supply<'_>,
) -> Result<Digest, RootError> {
    let folder = folder_of(contents, supply.store);
    supply.interrupt.check()?;
    // Another project's lock of the same packages may have recorded it.
    let noted = supply.store.noted(&folder);
    for known in known.into_iter().chain(&noted) {
        if holds(&folder, known, supply.interrupt)? {
            used(contents, folder, supply.store);
            return Ok(*known);
        }
    }
    unpack(contents, supply)
}

/// Records that a root and its packages are used now: its packages may leave the archive before they are needed again.
fn used(contents: Contents<'_>, folder: PathBuf, store: &Store) -> PathBuf {
    let packages = contents.packages.iter();
    packages.for_each(|package| store.touch(&package.key()));
    store.used(folder)
}

/// The folder for the root of these packages. If its name were the digest of its contents, a lock of other packages
/// could use it, and provenance would name packages that were never used.
pub(in crate::inputs) fn folder_of(contents: Contents<'_>, store: &Store) -> PathBuf {
    let mut key = Hasher::new();
    key.update(format!("rules {RULES} {:?}\0", contents.toolchain).as_bytes());
    for one in contents.packages {
        let sha256 = one.sha256.hex();
        key.update(format!("{} {} {sha256} {}\0", one.name, one.version, one.size).as_bytes());
    }
    store.roots().join(key.finish().hex())
}

/// Unpacks the packages into the store.
fn unpack(contents: Contents<'_>, supply: &Supply<'_>) -> Result<Digest, RootError> {
    let store = supply.store;
    let scratch = store.scratch()?;
    let folder = scratch.path().join("root");
    fs::create_dir(&folder).map_err(At::writing(&folder))?;
    supply.during("unpack the build root", |step| {
        step.of(contents.packages.len(), []);
        for package in contents.packages {
            unpack_one(package, &folder, supply)?;
            step.add(1, 0);
        }
        Ok::<_, RootError>(())
    })?;
    links::add(&folder, contents.toolchain)
        .and_then(|()| normalize(&folder))
        .map_err(At::writing(&folder))?;
    let digest = Tree::of(&folder, supply.interrupt)?.digest();
    let place = folder_of(contents, store);
    store.publish(&folder, &place)?;
    store.note_digest(&place, &digest)?;
    Ok(digest)
}

/// Unpacks a package of the store into a folder, which may contain other packages. Returns the bytes of the package.
///
/// # Errors
/// The store does not have the package, it is invalid, or the work was interrupted.
pub(super) fn unpack_one(
    package: &Package,
    folder: &Path,
    supply: &Supply<'_>,
) -> Result<Vec<u8>, RootError> {
    supply.interrupt.check()?;
    let bytes = supply.store.read(&package.key(), package.size)?;
    Unpacker::new(package, folder, supply.interrupt).unpack(&bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
