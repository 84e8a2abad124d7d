//! The packages that an image contains, unpacked without running their scripts, each into a folder of its own.

use std::fs;
use std::path::PathBuf;

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
    scratch: Scratch,
    packages: Vec<Package>,
    controls: Vec<String>,
}

impl Runtime {
    /// Unpacks packages of the store.
    ///
    /// # Errors
    /// The store does not have a package, it is invalid, or the work was interrupted.
    pub(crate) fn unpack(packages: &[Package], supply: &Supply<'_>) -> Result<Self, RootError> {
        let mut runtime = Self {
            scratch: supply.store.scratch()?,
            packages: packages.to_vec(),
            controls: Vec::new(),
        };
        for (index, package) in packages.iter().enumerate() {
            let folder = runtime.folder(index);
            fs::create_dir(&folder).map_err(At::writing(&folder))?;
            let bytes = root::unpack_one(package, &folder, supply)?;
            runtime
                .controls
                .push(deb::control(&bytes, "control").unwrap_or_default());
        }
        Ok(runtime)
    }

    /// The packages.
    pub(crate) fn packages(&self) -> impl Iterator<Item = Unpacked<'_>> {
        let packages = self.packages.iter().zip(&self.controls).enumerate();
        packages.map(|(index, (package, control))| Unpacked {
            package,
            control,
            folder: self.folder(index),
        })
    }

    fn folder(&self, index: usize) -> PathBuf {
        self.scratch.path().join(index.to_string())
    }
}
