//! Why a program of the host gave no answer.

use std::io;

use console::hint::Hinted;

/// Most bytes of an answer; the longest is the status of a working tree.
pub(super) const ANSWER: u64 = 64 << 20;

/// A program of the host that gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Its exit status is not 0.
    #[error("running {program} {action}: {said}")]
    Failed {
        /// The name of the program.
        program: &'static str,
        /// Its first argument.
        action: &'static str,
        /// What it wrote to standard error.
        said: String,
    },
    /// It is not installed.
    #[error(transparent)]
    Absent(Hinted),
    /// It cannot be run, or its output cannot be read.
    #[error(transparent)]
    Hinted(#[from] Hinted),
}

impl HostError {
    /// A hint for the user, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Failed {
                program: "cargo", ..
            } => Some("check that the registry in cargo's configuration can be reached"),
            Self::Failed { program: "go", .. } => Some(
                "check that go can fetch the module: `go mod download` in a clone of the source",
            ),
            Self::Failed { .. } => None,
            Self::Absent(error) | Self::Hinted(error) => error.hint(),
        }
    }

    /// Whether the program is not installed.
    pub(crate) fn is_absence(&self) -> bool {
        matches!(self, Self::Absent(_))
    }

    /// The same error, with what the program was run for.
    pub(crate) fn doing(self, doing: &str) -> Hinted {
        let hint = self.hint();
        let error = Hinted::doing(doing, self);
        match hint {
            Some(hint) => error.hinting(hint),
            None => error,
        }
    }

    pub(super) fn talking(program: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Hinted::doing(format_args!("running {program}"), source).into()
    }

    pub(super) fn starting(program: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::NotFound => Self::Absent(absent(program)),
            _ => Self::talking(program)(source),
        }
    }
}

pub(super) fn absent(program: &str) -> Hinted {
    let absent = Hinted::new(format_args!("starting {program}: not installed"));
    match program {
        "gpgv" => absent.hinting(
            "install gpgv, which verifies the archive's signature at each build (Debian package gpgv)",
        ),
        "git" => absent.hinting("install git, which reads the source"),
        "cargo" => absent.hinting("install cargo, which fetches crates"),
        "prlimit" => absent.hinting("install prlimit, which limits git and go (Debian package util-linux)"),
        "go" => absent.hinting(
            "install go, which fetches modules from their repositories, or set GOPROXY to module proxies that have all \
             modules",
        ),
        _ => absent,
    }
}
