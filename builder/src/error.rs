//! What this program cannot do, and what helps.

use std::io;
use std::path::PathBuf;

use content::ReadError;
use content::json::JsonError;

use crate::build::cargo::CompileError;
use crate::image::contents::ContentsError;
use crate::inputs::cargo::CrateError;
use crate::inputs::debian::root::RootError;
use crate::inputs::debian::{ArchiveError, ChainError};
use crate::inputs::git::SourceError;
use crate::inputs::store::{StoreError, is_full};
use crate::inputs::{CARGO_LOCK, LOCK, LockError};
use crate::interrupt::Interrupted;
use crate::publish::push::PushError;
use crate::publish::sign::SignError;
use crate::sandbox::{Resource, SandboxError, Step};

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The lock, or an input that it names.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A crate.
    #[error(transparent)]
    Crates(#[from] CrateError),
    /// The build root.
    #[error(transparent)]
    Root(#[from] RootError),
    /// The store of inputs.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The place for the compiler.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The compiler.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// A file of the image.
    #[error(transparent)]
    Contents(#[from] ContentsError),
    /// The image.
    #[error("assembling image: {0}")]
    Assemble(#[from] oci::Error),
    /// Provenance or bill of materials.
    #[error("describing image: {0}")]
    Describe(#[from] attest::Error),
    /// Certificate authorities of the registry.
    #[error(transparent)]
    Authorities(remote::Error),
    /// The registry, or the layout.
    #[error(transparent)]
    Push(#[from] PushError),
    /// A signature or a statement.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// A crate of the binary is none of the lock.
    #[error("describing image: {crate_name} is in the binary and not in Image.lock")]
    Unlocked {
        /// Name and version.
        crate_name: String,
    },
    /// A key.
    #[error(transparent)]
    Signer(#[from] signer::Error),
    /// Something other than a layout is where the layout should go.
    #[error("writing {}: it is there already, and is no layout", path.display())]
    Taken {
        /// Where.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("reading {}: {source}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("writing {}: {source}", path.display())]
    Write {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no room for what is needed meanwhile.
    #[error("making a temporary directory: {0}")]
    Scratch(#[source] io::Error),
    /// There is no place for the store.
    #[error("finding the store: neither XDG_CACHE_HOME nor HOME is an absolute path")]
    NoStore,
    /// Threads or signals cannot be had.
    #[error("starting: {0}")]
    Runtime(#[source] io::Error),
    /// Somebody wanted it to end.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// What an error says about the source.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Meaning {
    /// It is not to be built: it does not compile, takes crates from elsewhere than the public registry, locks what
    /// the archive has not signed, or starts processes that could change what was compiled.
    Refused,
    /// Nothing.
    Unknown,
}

impl Error {
    /// What this says about the source.
    pub fn meaning(&self) -> Meaning {
        match self {
            Self::Compile(CompileError::Refused { .. } | CompileError::LeftBehind { .. }) => {
                Meaning::Refused
            }
            Self::Source(error) | Self::Lock(LockError::Source(error)) if error.is_refusal() => {
                Meaning::Refused
            }
            Self::Crates(error) | Self::Lock(LockError::Crates(error)) if error.is_refusal() => {
                Meaning::Refused
            }
            Self::Lock(LockError::Chain(error)) if error.is_about_lock() => Meaning::Refused,
            _ => Meaning::Unknown,
        }
    }

    /// What helps, if we know.
    pub fn hint(&self) -> Option<&'static str> {
        self.own_hint().or_else(|| system_hint(self))
    }

    fn own_hint(&self) -> Option<&'static str> {
        match self {
            Self::Source(error) => error.hint(),
            Self::Contents(error) => error.hint(),
            Self::Lock(error) => lock_hint(error),
            Self::Crates(error) => crates_hint(error),
            Self::Root(error) => root_hint(error),
            Self::Store(error) => error.hint(),
            Self::Sign(SignError::Predicate { source, .. }) => Some(predicate_hint(source)),
            Self::Sandbox(error) => sandbox_hint(error),
            Self::Compile(error) => compile_hint(error),
            Self::Taken { .. } => Some("choose another place, or remove what is there"),
            Self::Runtime(_) => Some(console::runtime::HINT),
            Self::NoStore => Some("name a directory with --store"),
            Self::Push(PushError::Layout(_)) => Some("a layout is what `builder build -o` writes"),
            Self::Authorities(error)
            | Self::Push(PushError::Registry(error))
            | Self::Sign(SignError::Image { source: error, .. }) => Some(error.hint()),
            Self::Signer(error) | Self::Sign(SignError::Signer { source: error, .. }) => {
                Some(error.hint())
            }
            _ => None,
        }
    }
}

fn predicate_hint(error: &attest::Error) -> &'static str {
    match error {
        attest::Error::Document {
            source: JsonError::Float(_),
            ..
        } => "write a number with a fraction as a string: not all programs write it alike",
        _ => "was it written by `builder build`, and for this --type?",
    }
}

/// What the system said, somewhere below.
fn system_hint(error: &Error) -> Option<&'static str> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return match error.kind() {
                _ if is_full(error) => Some("free some space, and repeat the command"),
                _ if is_large(error) => Some("is it the right file? none of its kind is so large"),
                io::ErrorKind::PermissionDenied => Some("is it yours to read or to write?"),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                    Some("is the path right?")
                }
                io::ErrorKind::AlreadyExists | io::ErrorKind::IsADirectory => {
                    Some("something is there already: choose another place, or remove it")
                }
                io::ErrorKind::BrokenPipe => {
                    Some("whoever read the output is gone; nothing else went wrong")
                }
                _ => None,
            };
        }
        cause = error.source();
    }
    None
}

fn is_large(error: &io::Error) -> bool {
    let read = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(read, Some(ReadError::Limit { .. }))
}

fn lock_hint(error: &LockError) -> Option<&'static str> {
    match error {
        LockError::Missing { .. } => Some("run `builder lock` there, and commit what it writes"),
        LockError::Stale { .. } | LockError::Other { .. } | LockError::Version { .. } => {
            Some("run `builder lock` there again, and commit what it writes")
        }
        LockError::Parse { path, .. } if path.ends_with(LOCK) => {
            Some("run `builder lock` there again, and commit what it writes")
        }
        LockError::Parse { .. } => Some("workload/Image.toml of Countersign is an example"),
        LockError::File { path, source }
            if path.ends_with(CARGO_LOCK) && source.kind() == io::ErrorKind::NotFound =>
        {
            Some(
                "the lock of a crate, or of the workspace that it is a member of, is an input: make it \
                 with `cargo generate-lockfile`, and commit it",
            )
        }
        LockError::Source(error) => error.hint(),
        LockError::Archive(error) => archive_hint(error),
        LockError::Chain(error) => chain_hint(error),
        LockError::Crates(error) => crates_hint(error),
        LockError::Root(error) => root_hint(error),
        _ => None,
    }
}

fn root_hint(error: &RootError) -> Option<&'static str> {
    match error {
        RootError::Store(error) => error.hint(),
        RootError::Changed { .. } | RootError::Package { .. } => {
            Some("was the lock written by another version of this program, or edited?")
        }
        _ => None,
    }
}

fn archive_hint(error: &ArchiveError) -> Option<&'static str> {
    match error {
        ArchiveError::Chain(ChainError::Unsigned { .. }) => Some(
            "a private archive needs both: --keyring with its keys, and --archive-key with the \
             fingerprint of the key or subkey that signs",
        ),
        ArchiveError::Chain(error) => chain_hint(error),
        ArchiveError::Moved { .. } => Some(
            "the archive serves another index by now: the locked one travels with the published image, \
             see --evidence; or run `builder lock` again",
        ),
        ArchiveError::Evidence { .. } => {
            Some("--evidence takes the folder `evidence` of a layout that was built from this lock")
        }
        ArchiveError::Store(StoreError::Came { .. }) => {
            Some("that archive has another package than was locked: name another with --archive")
        }
        ArchiveError::Store(error) => error.hint(),
        ArchiveError::Fetch { .. } => Some(
            "is there a network? another package archive can be named with --archive or COUNTERSIGN_ARCHIVE",
        ),
        ArchiveError::Address { .. } => Some("it is the address above dists/ and pool/"),
        _ => Some("name a package archive with --archive or COUNTERSIGN_ARCHIVE"),
    }
}

fn chain_hint(error: &ChainError) -> Option<&'static str> {
    match error {
        ChainError::Host(error) => error.hint(),
        ChainError::Untrusted { .. } | ChainError::Unsigned { .. } => Some(
            "name a private archive's key with --archive-key, if you trust it as you trust Debian's",
        ),
        ChainError::Package(_) => {
            Some("was the lock edited? `builder lock` writes what the archive has signed")
        }
        _ => None,
    }
}

fn crates_hint(error: &CrateError) -> Option<&'static str> {
    match error {
        CrateError::Host(error) => error.hint(),
        CrateError::Store(StoreError::Came { .. }) => {
            Some("remove that file from CARGO_HOME/registry/cache; it is fetched again")
        }
        CrateError::Store(error) => error.hint(),
        CrateError::Source { .. } => Some(crate::inputs::git::ELSEWHERE),
        CrateError::Digest { .. } => Some(
            "either Cargo.lock was edited, or cargo is configured to find crates where they are others",
        ),
        CrateError::Unknown { .. } => {
            Some("is the registry that cargo is configured to use complete?")
        }
        CrateError::NoArchive { .. } => Some(
            "let cargo fetch crates from a registry or a mirror of it: a vendored folder \
             or a local registry in its configuration has no archives that can be checked",
        ),
        _ => None,
    }
}

fn compile_hint(error: &CompileError) -> Option<&'static str> {
    match error {
        CompileError::Refused { .. } => Some("the compiler's own words are above"),
        CompileError::Scarce { .. } => Some("most likely memory ran out; try --jobs 1"),
        CompileError::Unresolved { .. } => Some(
            "the root of the workspace and its members must be committed in this repository; does \
             `cargo build --locked` find them in a new clone?",
        ),
        CompileError::Linker { .. } => Some("Image.toml must name one gcc-N among its packages"),
        CompileError::Sandbox { source, .. } => sandbox_hint(source),
        CompileError::LeftBehind { .. } => {
            Some("a build script must wait for every process that it starts")
        }
        CompileError::Report { .. } => Some("does a build script or macro write to cargo's files?"),
        CompileError::Read { .. } | CompileError::Listing { .. } => None,
    }
}

fn sandbox_hint(error: &SandboxError) -> Option<&'static str> {
    match error {
        SandboxError::Refused {
            step: Step::Proc, ..
        } => Some(
            "in a container, let it mount /proc: docker run --security-opt systempaths=unconfined",
        ),
        SandboxError::Refused { .. } => Some(
            "user namespaces must be allowed: sysctl user.max_user_namespaces and \
             kernel.apparmor_restrict_unprivileged_userns; in a container also its seccomp profile",
        ),
        SandboxError::Late { .. } => {
            Some("is the machine slow? let it take longer with --time-limit")
        }
        SandboxError::Exceeded { exceeded, .. } => Some(limit_hint(exceeded.resource)),
        SandboxError::Killed { .. } => Some("most likely memory ran out; try --jobs 1"),
        _ => None,
    }
}

fn limit_hint(resource: Resource) -> &'static str {
    match resource {
        Resource::Memory => "raise it with --limit-memory, or try --jobs 1",
        Resource::Files => "raise it with --limit-files",
        Resource::Processes => "raise it with --limit-processes, or try --jobs 1",
        Resource::Output => "raise it with --limit-output",
    }
}
