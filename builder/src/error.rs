//! Why a command of this program gives no result, and what helps.

use std::io;
use std::path::PathBuf;

use crate::at::At;
use crate::compile::error::{CompileError, sandbox_hint};
use crate::image::contents::ContentsError;
use crate::image::describe::Unlocked;
use crate::inputs::cargo::CrateError;
use crate::inputs::debian::ArchiveError;
use crate::inputs::debian::root::RootError;
use crate::inputs::git::SourceError;
use crate::inputs::store::StoreError;
use crate::interrupt::Interrupted;
use crate::lock::{self, LockError};
use crate::publish::SignError;
use crate::publish::push::PushError;
use crate::sandbox::SandboxError;
use crate::untrusted;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder cannot be used.
    #[error(transparent)]
    At(#[from] At),
    /// A TOML document is invalid.
    #[error("parsing {}: {}", path.display(), untrusted::toml(source))]
    Parse {
        /// The document.
        path: PathBuf,
        /// What is wrong.
        source: toml::de::Error,
    },
    /// There is no lock.
    #[error("reading {}: there is no lock", path.display())]
    NoLock {
        /// Where it is expected.
        path: PathBuf,
    },
    /// The lock cannot be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The lock cannot be written as text.
    #[error("writing Image.lock: {0}")]
    LockText(#[from] toml::ser::Error),
    /// The source cannot be staged.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The packages cannot be obtained.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The crates cannot be obtained.
    #[error(transparent)]
    Crates(#[from] CrateError),
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
    /// A file cannot be added to the image.
    #[error(transparent)]
    Contents(#[from] ContentsError),
    /// The image cannot be written.
    #[error("assembling image: {0}")]
    Assemble(#[from] oci::Error),
    /// Provenance or bill of materials cannot be written.
    #[error("describing image: {0}")]
    Describe(#[from] attest::Error),
    /// The lock does not name a crate of the program.
    #[error(transparent)]
    Unlocked(#[from] Unlocked),
    /// The certificate authorities of the registry cannot be read.
    #[error(transparent)]
    Authorities(remote::Error),
    /// The layout was not pushed.
    #[error(transparent)]
    Push(#[from] PushError),
    /// Nothing was signed, or no key was made.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The key cannot be used.
    #[error(transparent)]
    Signer(#[from] signer::Error),
    /// Something other than a layout is where the layout should go.
    #[error("writing {}: it exists, and is not a layout", path.display())]
    Taken {
        /// Where the layout should go.
        path: PathBuf,
    },
    /// The environment names no folder for the store.
    #[error("finding the store: neither XDG_CACHE_HOME nor HOME is an absolute path")]
    NoStore,
    /// The system gives no threads or signals.
    #[error("starting: {0}")]
    Runtime(#[source] io::Error),
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// What an error says about the source.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Meaning {
    /// It must not be built: it does not compile, takes crates from elsewhere than the public registry, locks crates
    /// or packages that the registry does not have or the archive has not signed, has links or configuration of cargo,
    /// or starts processes that could change the program.
    Refused,
    /// Nothing.
    Unknown,
}

impl Error {
    /// What this says about the source.
    pub fn meaning(&self) -> Meaning {
        let is_refusal = match self {
            Self::Compile { source, .. } => source.is_refusal(),
            Self::Source(error) => error.is_refusal(),
            Self::Crates(error) => error.is_refusal(),
            Self::Archive(error) => error.is_refusal(),
            _ => false,
        };
        match is_refusal {
            true => Meaning::Refused,
            false => Meaning::Unknown,
        }
    }

    /// What helps, if that is known.
    pub fn hint(&self) -> Option<&'static str> {
        self.own_hint().or_else(|| console::hint::of(self))
    }

    fn own_hint(&self) -> Option<&'static str> {
        match self {
            Self::NoLock { .. } => Some("run `builder lock` there, and commit what it writes"),
            Self::Lock(_) => Some(LOCK_AGAIN),
            Self::Parse { path, .. } if path.ends_with(lock::FILE) => Some(LOCK_AGAIN),
            Self::Parse { .. } => Some("workload/Image.toml of Countersign is an example"),
            Self::At(At { path, source, .. })
                if path.ends_with("Cargo.lock") && source.kind() == io::ErrorKind::NotFound =>
            {
                Some(
                    "the lock of a crate, or of the workspace that it is a member of, is an input: make it \
                     with `cargo generate-lockfile`, and commit it",
                )
            }
            Self::Source(error) => error.hint(),
            Self::Archive(error) => error.hint(),
            Self::Crates(error) => error.hint(),
            Self::Root(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Sandbox(error) => sandbox_hint(error),
            Self::Compile { source, .. } => source.hint(),
            Self::Contents(error) => error.hint(),
            Self::Push(error) => error.hint(),
            Self::Sign(error) => error.hint(),
            Self::Authorities(error) => Some(error.hint()),
            Self::Signer(error) => Some(error.hint()),
            Self::Taken { .. } => Some("choose another place, or remove what is there"),
            Self::Runtime(_) => Some(console::runtime::HINT),
            Self::NoStore => Some("name a directory with --store"),
            _ => None,
        }
    }
}

const LOCK_AGAIN: &str = "run `builder lock` there again, and commit what it writes";
