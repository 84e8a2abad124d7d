//! Why source was not compiled.

use std::path::PathBuf;

use super::cargo::report::ReportError;
use super::cargo::scarcity::Scarcity;
use crate::at::At;
use crate::sandbox::{Refusal, Resource, SandboxError, Step};
use crate::untrusted::shown;

/// Source that could not be compiled. The package is named by [`crate::error::Error::Compile`].
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The build root contains no C compiler, or several.
    #[error("reading build root {}: expected one usr/bin/x86_64-linux-gnu-gcc-N, found {found}", root.display())]
    Linker {
        /// The build root.
        root: PathBuf,
        /// Number of C compilers.
        found: usize,
    },
    /// The build root cannot be read.
    #[error(transparent)]
    Root(#[from] At),
    /// The compiler refused the source. The answer is the same on every machine.
    #[error("cargo ended with exit status {0}")]
    Refused(i32),
    /// The machine could not compile it, which says nothing about the source.
    #[error("something ran out or was ended: {said}")]
    Scarce {
        /// The line that says so.
        said: String,
        /// What ran out.
        scarcity: Scarcity,
    },
    /// The source starts processes that outlive their parents: they could have changed the program unnoticed.
    #[error("a process of a build script or macro outlived the one that started it: {0:?}")]
    LeftBehind(String),
    /// Cargo's report is not that of one link.
    #[error("reading cargo's report of the program: {0}")]
    Report(#[from] ReportError),
    /// Cargo could not load a manifest: too little was staged, which says nothing about the source.
    #[error("cargo could not load a manifest: {0}")]
    Unresolved(String),
    /// The source includes a file of the repository that was not staged, which says nothing about the source.
    #[error("it includes {}, which is not staged", shown(&.0.to_string_lossy()))]
    Unstaged(PathBuf),
    /// Cargo's list of crates cannot be read.
    #[error("listing its crates: expected a crate, found {0:?}")]
    Listing(String),
    /// The compiler could not be run to its end.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

impl CompileError {
    /// Whether this is an answer about the source, and the same on every machine.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Refused(_) | Self::LeftBehind(_) | Self::Report(ReportError::Variable { .. })
        )
    }

    /// What helps, if that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Refused(_) => Some("the compiler's own words are above"),
            Self::Scarce { scarcity, .. } => Some(scarcity.hint()),
            Self::Unresolved(_) => Some(
                "the root of the workspace, its members and crates that are used by path must be committed in this \
                 repository; does `cargo build --locked` find them in a new clone?",
            ),
            Self::Unstaged(_) => Some(
                "staged are the folders of the crate and of the crates that it uses by path; keep the file in one of them",
            ),
            Self::Linker { .. } => Some("Image.toml must name one gcc-N among its packages"),
            Self::Sandbox(error) => sandbox_hint(error),
            Self::LeftBehind(_) => {
                Some("a build script must wait for every process that it starts")
            }
            Self::Report(ReportError::Variable { .. }) => Some(
                "remove cargo:rustc-env for this variable: the image must be linked by the locked linker",
            ),
            Self::Report(_) => Some("does a build script or macro write to cargo's files?"),
            Self::Root(_) | Self::Listing(_) => None,
        }
    }
}

/// What helps against an error of the sandbox, by this program's options.
pub(crate) fn sandbox_hint(error: &SandboxError) -> Option<&'static str> {
    match error {
        SandboxError::Refused(Refusal {
            step: Step::Proc, ..
        }) => Some(
            "in a container, let it mount /proc: docker run --security-opt systempaths=unconfined",
        ),
        SandboxError::Refused(_) => Some(
            "user namespaces must be allowed: sysctl user.max_user_namespaces and \
             kernel.apparmor_restrict_unprivileged_userns; in a container also its seccomp profile",
        ),
        SandboxError::Late { .. } => Some("is the machine slow? raise the limit with --time-limit"),
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
