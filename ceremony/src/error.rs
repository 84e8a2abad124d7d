use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use console::hint::TEMPORARY;

/// Why a ceremony could not be completed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or pipe cannot be used.
    #[error("using {}: {source}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A program does not start.
    #[error("starting {}: {source}", name.display())]
    Start {
        /// Its name or path.
        name: OsString,
        /// The system's error.
        source: io::Error,
    },
    /// A program is not installed.
    #[error(transparent)]
    Absent(#[from] console::process::Absent),
    /// A program ended with another exit status than expected.
    #[error("running {command}: {}", ending(*code, said))]
    Program {
        /// The command line.
        command: String,
        /// The exit status; `None` after a signal.
        code: Option<i32>,
        /// Its standard error.
        said: String,
    },
    /// An unexpected answer of a program or service.
    #[error("reading {what}: {found}")]
    Answer {
        /// What was asked.
        what: String,
        /// The answer.
        found: String,
    },
    /// A request to a service failed.
    #[error("calling {url}: {reason}")]
    Call {
        /// The URL.
        url: String,
        /// The cause.
        reason: String,
    },
    /// The computation gave a wrong result.
    #[error("counting words: expected {expected:?}, found {found:?}")]
    Result {
        /// The result that both parties' data give.
        expected: String,
        /// What the workload printed.
        found: String,
    },
    /// No attack has this name.
    #[error("choosing attack: unknown attack {0:?}")]
    UnknownAttack(String),
    /// No folder for the builder's store was found.
    #[error("finding the store: neither XDG_CACHE_HOME nor HOME is an absolute path")]
    NoStore,
    /// Threads or signal handlers cannot be started.
    #[error("starting: {0}")]
    Runtime(#[source] io::Error),
    /// This signal ended the ceremony.
    #[error("running the ceremony: interrupted")]
    Interrupted(u8),
}

impl Error {
    /// For `map_err` on file operations at `path`.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    /// What the user can do about it, unless the message already says so.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Program { said, .. } if said.lines().any(|line| line.starts_with("hint: ")) => {
                return None;
            }
            Self::Program { said, .. } if said.contains("dubious ownership") => {
                "the repository belongs to another user; git's message above says how to trust it"
            }
            Self::Program { said, .. } if said.contains("No space left on device") => TEMPORARY,
            Self::Io { .. } => TEMPORARY,
            Self::Absent(_) | Self::Start { .. } => {
                "git, setpriv (util-linux) and cargo must be on PATH"
            }
            Self::Program { .. } => "the program's message above says what is wrong",
            Self::Answer { .. } | Self::Call { .. } => {
                "is another program using the loopback ports?"
            }
            Self::Result { .. } => "this is a bug: please report it with the lines above",
            Self::UnknownAttack(_) => "ceremony --help lists the attacks",
            Self::NoStore => "set HOME to a directory with room for half a gigabyte",
            Self::Runtime(_) => console::runtime::HINT,
            Self::Interrupted(_) => "everything that was started has been stopped",
        })
    }
}

fn ending(code: Option<i32>, said: &str) -> String {
    let status = code.map_or("none (signal)".to_owned(), |code| code.to_string());
    format!("exit status {status}\n{said}")
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(said: &str) -> Error {
        Error::Program {
            command: "builder build".into(),
            code: Some(2),
            said: said.into(),
        }
    }

    #[test]
    fn gives_one_hint_and_not_two() {
        assert!(ended("builder: error: none\n").hint().is_some());
        assert!(
            ended("builder: error: none\nhint: make one\n")
                .hint()
                .is_none()
        );
    }
}
