use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

/// Why a ceremony could not be played to its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or pipe.
    #[error("using {}: {source}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// A program that does not start.
    #[error("starting {}: {source}", name.display())]
    Start {
        /// Its name or path.
        name: OsString,
        /// What happened.
        source: io::Error,
    },
    /// A program that ended otherwise than the story wants.
    #[error("running {command}: {}", ending(*code, said))]
    Program {
        /// The command line.
        command: String,
        /// The exit status; `None` after a signal.
        code: Option<i32>,
        /// What it said on standard error.
        said: String,
    },
    /// Something that a program or a server answered and that the story cannot go on with.
    #[error("reading {what}: {found}")]
    Answer {
        /// The answer to what.
        what: String,
        /// What came instead.
        found: String,
    },
    /// A request to one of the services.
    #[error("calling {url}: {reason}")]
    Call {
        /// Where.
        url: String,
        /// Why it failed.
        reason: String,
    },
    /// The result of the computation is another one.
    #[error("counting words: expected {expected:?}, found {found:?}")]
    Result {
        /// What both parties' data add up to.
        expected: String,
        /// What the workload printed.
        found: String,
    },
    /// No attack has this name.
    #[error("choosing attack: none is named {0:?}")]
    UnknownAttack(String),
    /// There is no place for the builder's inputs.
    #[error("finding the store of inputs: neither XDG_CACHE_HOME nor HOME is an absolute path")]
    NoStore,
    /// The user asked to stop, by this signal.
    #[error("playing: interrupted")]
    Interrupted(u8),
}

const ROOM: &str = "check that the temporary folder (TMPDIR) has room and is writable";

impl Error {
    /// For `map_err` on file operations at `path`.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    /// What a person can do about it, where the message has not said so already.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Program { said, .. } if said.lines().any(|line| line.starts_with("hint: ")) => {
                return None;
            }
            Self::Program { said, .. } if said.contains("dubious ownership") => {
                "the repository is somebody else's: git's own words above say how to trust it"
            }
            Self::Program { said, .. } if said.contains("No space left on device") => ROOM,
            Self::Io { .. } => ROOM,
            Self::Start { .. } => "git, setpriv (util-linux) and cargo must be on PATH",
            Self::Program { .. } => "the program's own message above says what is missing",
            Self::Answer { .. } | Self::Call { .. } => {
                "is another program using the loopback ports?"
            }
            Self::Result { .. } => "this is a bug: please report it with the lines above",
            Self::UnknownAttack(_) => "ceremony --help lists the attacks",
            Self::NoStore => "set HOME to a directory with room for half a gigabyte",
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
