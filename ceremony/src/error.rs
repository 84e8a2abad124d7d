use std::ffi::OsStr;
use std::fmt::Display;
use std::io;
use std::path::Path;

use console::hint::{Hinted, TEMPORARY};
use content::at::{self, At};

/// Why a ceremony could not be completed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or pipe cannot be used.
    #[error(transparent)]
    File(#[from] At),
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
    /// A program, threads or signal handlers cannot be started, or an argument, an answer or the result is not as
    /// expected.
    #[error(transparent)]
    Other(#[from] Hinted),
    /// This signal ended the ceremony.
    #[error("running the ceremony: interrupted")]
    Interrupted(u8),
}

const PROGRAMS: &str = "git, setpriv (util-linux) and cargo must be on PATH";
const PORTS: &str = "check whether another program uses the loopback ports";

impl Error {
    /// For `map_err` on file operations at `path`.
    pub fn io(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        move |source| At::doing("using", path.as_ref())(source).into()
    }

    /// For `map_err`, if this program does not start.
    pub fn start(program: &OsStr) -> impl FnOnce(io::Error) -> Self {
        let doing = format!("starting {}", at::shown(Path::new(program)));
        move |source| Hinted::doing(doing, source).hinting(PROGRAMS).into()
    }

    /// An unexpected answer of a program or service.
    pub fn answer(what: impl Display, found: impl Display) -> Self {
        Self::unexpected(format!("reading {what}"), found, PORTS)
    }

    /// A request to a service failed.
    pub fn call(url: &str, reason: impl Display) -> Self {
        Self::unexpected(format!("calling {url}"), reason, PORTS)
    }

    /// An argument, an answer or the result is not as expected.
    pub fn unexpected(doing: impl Display, fault: impl Display, hint: &'static str) -> Self {
        Hinted::new(format!("{doing}: {fault}"))
            .hinting(hint)
            .into()
    }

    /// What the user can do about it, unless the message already says so.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Program { said, .. } if said.lines().any(|line| line.starts_with("hint: ")) => {
                return None;
            }
            Self::Program { said, .. } if said.contains("dubious ownership") => {
                "the repository belongs to another user; see git's message above for how to trust it"
            }
            Self::Program { said, .. } if said.contains("No space left on device") => TEMPORARY,
            Self::File(_) => TEMPORARY,
            Self::Absent(_) => PROGRAMS,
            Self::Program { .. } => "see the program's message above",
            Self::Other(error) => return error.hint(),
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
