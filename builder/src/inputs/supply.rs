//! Where inputs come from, and who hears of it.

use super::LockError;
use super::cargo::CrateError;
use crate::inputs::debian::{Archive, ArchiveError, Options};
use crate::inputs::store::Store;
use crate::interrupt::{Interrupt, Interrupted};
use crate::lock::crates::{Crate, Named};
use crate::lock::packages::Package;

/// How inputs are had.
#[derive(Clone, Copy)]
pub struct Supply<'a> {
    /// Which package archive.
    pub archive: Options<'a>,
    /// Where inputs are kept.
    pub store: &'a Store,
    /// Who may end it early.
    pub interrupt: &'a Interrupt,
    /// Who hears of progress.
    pub progress: &'a (dyn Fn(&str) + Sync),
}

impl Supply<'_> {
    /// Says what is done next, if it may be.
    pub(crate) fn step(&self, line: &str) -> Result<(), Interrupted> {
        self.interrupt.check()?;
        (self.progress)(line);
        Ok(())
    }

    /// The packages that the store does not have.
    pub(super) fn missing<'p>(
        &self,
        packages: &'p [Package],
    ) -> Result<Vec<&'p Package>, LockError> {
        let mut missing = Vec::new();
        for package in packages {
            let size = self.store.size(&package.key());
            if size.map_err(ArchiveError::from)? != Some(package.size) {
                missing.push(package);
            }
        }
        Ok(missing)
    }

    /// Fetches packages into the store.
    pub(super) fn fetch(&self, missing: &[&Package], archive: &Archive) -> Result<(), LockError> {
        for (index, package) in missing.iter().enumerate() {
            let (count, all) = (index + 1, missing.len());
            self.step(&format!(
                "fetching package {count} of {all}: {}",
                package.name
            ))?;
            archive.fetch_package(package, self.store, self.interrupt)?;
        }
        Ok(())
    }

    /// The crates that the store does not have.
    pub(super) fn absent(&self, crates: &[Crate]) -> Result<Vec<Named>, LockError> {
        let mut absent = Vec::new();
        for one in crates {
            let size = self.store.size(&one.key()).map_err(CrateError::from)?;
            if size != Some(one.size) {
                absent.push(one.named());
            }
        }
        Ok(absent)
    }
}

#[cfg(test)]
impl<'a> Supply<'a> {
    /// Without an archive, for tests.
    pub(crate) fn of(store: &'a Store) -> Self {
        use crate::inputs::debian::signers::Signers;
        use std::sync::LazyLock;
        static NEVER: LazyLock<Interrupt> = LazyLock::new(Interrupt::default);
        static SIGNERS: LazyLock<Signers> = LazyLock::new(|| Signers::with(&[]));
        Self {
            archive: Options {
                url: None,
                keyring: None,
                signers: &SIGNERS,
                evidence: None,
            },
            store,
            interrupt: &NEVER,
            progress: &|_| {},
        }
    }
}
