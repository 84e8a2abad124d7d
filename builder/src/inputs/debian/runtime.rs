//! The packages that images contain, unpacked without running their scripts, each into a folder of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use console::hint::Hinted;
use scratch::Scratch;

use super::deb;
use super::root::{self, RootError};
use crate::at::At;
use crate::inputs::Supply;
use crate::lock::packages::Package;

/// Dependencies that only scripts of packages use. No script runs, so they are left out, unless `Image.toml` names them.
pub(super) const SCRIPTS: [&str; 5] = [
    "debconf",
    "debconf-2.0",
    "dpkg",
    "init-system-helpers",
    "ucf",
];

/// An unpacked package.
pub(crate) struct Unpacked<'a> {
    pub(crate) package: &'a Package,
    /// Its control file (deb-control(5)).
    pub(crate) control: &'a str,
    /// The folder that it is unpacked in.
    pub(crate) folder: PathBuf,
}

/// Unpacked packages. They are removed with this value.
pub struct Runtime {
    _scratch: Scratch,
    /// The folder of each package, and its control file.
    unpacked: BTreeMap<Package, (PathBuf, String)>,
}

impl Runtime {
    /// Unpacks packages of the store.
    ///
    /// # Errors
    /// The store does not have a package, it is invalid, or the work was interrupted.
    pub(crate) fn unpack(packages: &[Package], supply: &Supply<'_>) -> Result<Self, RootError> {
        let scratch = supply.store.scratch()?;
        let mut unpacked = BTreeMap::new();
        for (index, package) in packages.iter().enumerate() {
            let folder = scratch.path().join(index.to_string());
            fs::create_dir(&folder).map_err(At::writing(&folder))?;
            let bytes = root::unpack_one(package, &folder, supply)?;
            let control = deb::control(&bytes, "control").map_err(|reason| {
                Hinted::new(format_args!("reading package {}: {reason}", package.name))
            })?;
            // Unpacking has checked that there is one.
            let control = control.unwrap_or_default();
            unpacked.insert(package.clone(), (folder, control));
        }
        Ok(Self {
            _scratch: scratch,
            unpacked,
        })
    }

    /// These packages, all of which were unpacked.
    pub(crate) fn packages<'a>(
        &'a self,
        packages: &'a [Package],
    ) -> impl Iterator<Item = Unpacked<'a>> {
        packages.iter().map(|package| {
            let (folder, control) = &self.unpacked[package];
            Unpacked {
                package,
                control,
                folder: folder.clone(),
            }
        })
    }
}
