//! Why a command of this program gives no result, and what helps.

use std::io;

use console::hint::Hinted;

use crate::at::At;
use crate::compile::error::CompileError;
use crate::deploy::Refused;
use crate::inputs::DependencyError;
use crate::inputs::debian::ArchiveError;
use crate::inputs::debian::root::RootError;
use crate::inputs::git::SourceError;
use crate::inputs::store::StoreError;
use crate::interrupt::Interrupted;
use crate::sandbox::SandboxError;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder cannot be used.
    #[error(transparent)]
    At(#[from] At),
    /// The source cannot be staged.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The packages cannot be obtained.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The crates, modules or Python packages cannot be obtained.
    #[error(transparent)]
    Dependency(#[from] DependencyError),
    /// The build root cannot be made.
    #[error(transparent)]
    Root(#[from] RootError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A sandbox cannot be made.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The program was not compiled.
    #[error("compiling {package}: {source}")]
    Compile {
        /// The package that was to be compiled.
        package: String,
        /// Why it was not.
        source: CompileError,
    },
    /// The key cannot be used.
    #[error(transparent)]
    Signer(#[from] signer::Error),
    /// A document is invalid, or an image cannot be written or published.
    #[error(transparent)]
    Hinted(#[from] Hinted),
    /// The image would not be launched as requested.
    #[error(transparent)]
    Launch(#[from] Refused),
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// What an error says about the source, about a signature that was made elsewhere, or about an image.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Meaning {
    /// It must not be built: it does not compile, uses crates from another registry, locks crates
    /// or packages that the registry does not have or the archive has not signed, has links that lead out or configuration of cargo,
    /// or starts processes that could change the program. The signature must not be published: it does not verify, or
    /// is for another image. The image must not be launched as requested: its labels do not allow it.
    Refused,
    /// Nothing.
    Unknown,
}

impl Error {
    /// What this says about the source or the signature.
    pub fn meaning(&self) -> Meaning {
        let is_refusal = match self {
            Self::Compile { source, .. } => source.is_refusal(),
            Self::Source(error) => error.is_refusal(),
            Self::Dependency(error) => error.is_refusal(),
            Self::Archive(error) => error.is_refusal(),
            Self::Launch(_) => true,
            Self::Signer(error) => {
                matches!(
                    error,
                    signer::Error::Refused(_) | signer::Error::Unverified(_)
                )
            }
            _ => false,
        };
        match is_refusal {
            true => Meaning::Refused,
            false => Meaning::Unknown,
        }
    }

    /// A hint for the user, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        self.own_hint().or_else(|| console::hint::of(self))
    }

    fn own_hint(&self) -> Option<&'static str> {
        match self {
            Self::At(At { path, source, .. })
                if path.ends_with("Cargo.lock") && source.kind() == io::ErrorKind::NotFound =>
            {
                Some(
                    "Cargo.lock of the crate, or of its workspace, is an input: write it with `cargo \
                     generate-lockfile`, and commit it",
                )
            }
            Self::Source(error) => error.hint(),
            Self::Archive(error) => error.hint(),
            Self::Dependency(error) => error.hint(),
            Self::Root(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Sandbox(error) => error.hint(),
            Self::Compile { source, .. } => source.hint(),
            Self::Signer(error) => error.hint().or_else(|| Some(console::hint::of_file(error))),
            Self::Hinted(error) => error.hint(),
            Self::Launch(error) => Some(error.hint()),
            Self::At(_) | Self::Interrupted(_) => None,
        }
    }
}
