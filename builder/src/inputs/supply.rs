//! Where inputs come from, and how progress is reported.

use std::fmt::Display;

use console::hint::Hinted;
use console::progress::{Progress, Step};

use super::capsule::opened::Capsule;
use super::debian::Options;
use super::store::Store;
use crate::interrupt::{Interrupt, Interrupted};

/// How inputs are obtained.
#[derive(Clone, Copy)]
pub struct Supply<'a> {
    /// The package archive.
    pub archive: Options<'a>,
    /// The proxies for Go modules, in the form of `GOPROXY`; by default those of the user's go.
    pub modules: Option<&'a str>,
    /// The package index for Python packages; by default that of the user's pip.
    pub wheels: Option<&'a str>,
    /// The store that keeps inputs.
    pub store: &'a Store,
    /// The capsule that has all inputs. With one, the network is not used.
    pub capsule: Option<&'a Capsule>,
    /// Interrupts the work.
    pub interrupt: &'a Interrupt,
    /// Shows the steps of the work.
    pub progress: &'a Progress,
}

impl Supply<'_> {
    /// Checks that the network may be used to obtain an input.
    ///
    /// # Errors
    /// A capsule is used.
    pub(crate) fn check_network(&self, input: impl Display) -> Result<(), Hinted> {
        match self.capsule {
            None => Ok(()),
            Some(capsule) => {
                let name = capsule.name();
                let absent = format_args!("obtaining {input}: it is not in the capsule {name}");
                Err(Hinted::new(absent).hinting("with --capsule, nothing is fetched: make the capsule again, with `builder capsule`"))
            }
        }
    }

    /// Does some work as a step, which is shown.
    ///
    /// # Errors
    /// Those of the work, or it was interrupted before.
    pub(crate) fn during<T, E: From<Interrupted>>(
        &self,
        name: impl Display,
        work: impl FnOnce(&Step) -> Result<T, E>,
    ) -> Result<T, E> {
        self.interrupt.check()?;
        let step = self.progress.step(name);
        let result = work(&step);
        match self.interrupt.check() {
            Ok(()) => step.end(result),
            // The step is canceled.
            Err(_) => result,
        }
    }

    /// Shows a note that is not part of a step.
    pub(crate) fn note(&self, text: &str) {
        self.progress.note(text);
    }
}

#[cfg(test)]
impl<'a> Supply<'a> {
    /// Without an archive, for tests.
    pub(crate) fn of(store: &'a Store) -> Self {
        use super::debian::signers::Signers;
        use std::sync::LazyLock;
        use tokio::runtime::Runtime;
        static NEVER: LazyLock<Interrupt> = LazyLock::new(Interrupt::default);
        static SIGNERS: LazyLock<Signers> = LazyLock::new(|| Signers::with(&[]));
        static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
        static PROGRESS: LazyLock<Progress> = LazyLock::new(|| Progress::to(std::io::sink()));
        Self {
            archive: Options {
                url: None,
                keyring: None,
                signers: &SIGNERS,
                evidence: None,
                runtime: RUNTIME.handle(),
            },
            modules: None,
            wheels: None,
            store,
            capsule: None,
            interrupt: &NEVER,
            progress: &PROGRESS,
        }
    }
}
