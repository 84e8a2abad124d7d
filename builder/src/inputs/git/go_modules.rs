//! The modules of Go in a source.

use std::path::PathBuf;

/// The manifest of a module.
pub(super) const MODULE: &str = "go.mod";
/// The manifest of a workspace.
pub(super) const WORKSPACE: &str = "go.work";

/// The modules of a source, by their folders, relative to the repository.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GoModules {
    /// The folder of `go.work`, if the module is part of a workspace.
    pub workspace: Option<PathBuf>,
    /// The module, and the other modules of its workspace.
    pub modules: Vec<GoModule>,
    /// Where the code of other modules is.
    pub dependencies: Dependencies,
}

/// A module of a source.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GoModule {
    /// Its folder.
    pub folder: PathBuf,
    /// Its path, by which packages import it.
    pub name: String,
}

/// Where the code of modules is that the source uses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dependencies {
    /// In module proxies.
    Proxies,
    /// In the folder `vendor` of the source.
    Vendored,
}

impl GoModules {
    /// The paths of the manifests: `go.work` first, then `go.mod` of each module.
    pub fn manifests(&self) -> Vec<PathBuf> {
        let workspace = self.workspace.iter().map(|folder| folder.join(WORKSPACE));
        let modules = self.modules.iter().map(|own| own.folder.join(MODULE));
        workspace.chain(modules).collect()
    }

    /// The paths of the files with the hashes of modules, which may be missing.
    pub fn sums(&self) -> Vec<PathBuf> {
        let workspace = self
            .workspace
            .iter()
            .map(|folder| folder.join("go.work.sum"));
        let modules = self.modules.iter().map(|own| own.folder.join("go.sum"));
        workspace.chain(modules).collect()
    }
}
