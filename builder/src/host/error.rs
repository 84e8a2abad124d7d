//! Why a program of the host gave no answer.

use std::io;

/// Most bytes of an answer; the longest is the status of a working tree.
pub(super) const ANSWER: u64 = 64 << 20;

/// A program of the host that gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// It is not installed.
    #[error("starting {program}: this machine does not have it")]
    Absent {
        /// The name of the program.
        program: &'static str,
    },
    /// It cannot be started, or its output cannot be read.
    #[error("running {program}: {source}")]
    Talk {
        /// The name of the program.
        program: &'static str,
        /// What the system says.
        source: io::Error,
    },
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
    /// Its output is too long.
    #[error("running {program} {action}: its answer is over {ANSWER} bytes")]
    Long {
        /// The name of the program.
        program: &'static str,
        /// Its first argument.
        action: &'static str,
    },
}

impl HostError {
    /// What helps, if that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Absent { program: "gpgv" } => Some(
                "install gpgv, which verifies the archive's signature at each build (Debian package gpgv)",
            ),
            Self::Absent { program: "git" } => Some("install git, which reads the source"),
            Self::Absent { program: "cargo" } => Some("install cargo, which fetches crates"),
            Self::Failed {
                program: "cargo", ..
            } => Some("crates come from where cargo is configured to find them; is it reachable?"),
            _ => None,
        }
    }

    pub(super) fn starting(program: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::NotFound => Self::Absent { program },
            _ => Self::Talk { program, source },
        }
    }
}
