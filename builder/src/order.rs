//! The parameters of a build.

use std::num::NonZeroUsize;
use std::path::Path;

use attest::ImageName;

use crate::error::Error;
use crate::inputs::Supply;
use crate::sandbox::Sandbox;

/// The parameters of a build, which every stage gets.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// The directory of `Image.toml`, in a git repository. Its last commit is built.
    pub directory: &'a Path,
    /// The image that is built; `None` for all.
    pub image: Option<&'a ImageName>,
    /// How inputs are obtained.
    pub supply: Supply<'a>,
    /// The builder's name in provenance.
    pub builder_id: &'a str,
    /// The source's name in provenance; by default the path of the repository.
    pub source_uri: Option<&'a str>,
    /// Number of compilers that run in parallel. The image does not depend on it.
    pub jobs: NonZeroUsize,
    /// How compilers are run.
    pub sandbox: Sandbox<'a>,
}

impl Order<'_> {
    /// Checks that this machine can build, before hundreds of megabytes are fetched.
    ///
    /// # Errors
    /// The system allows no sandbox, or no program can be run from the store.
    pub(crate) fn check_machine(&self) -> Result<(), Error> {
        self.sandbox.probe()?;
        Ok(self.supply.store.check_executable()?)
    }
}
