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
    #[error("starting {name}: {source}")]
    Start {
        /// Its path.
        name: String,
        /// What happened.
        source: io::Error,
    },
    /// A program that ended otherwise than the story wants.
    #[error("running {command}: exit status {}\n{said}", code.map_or("none (signal)".to_owned(), |c| c.to_string()))]
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
    /// The user asked to stop.
    #[error("playing: interrupted")]
    Interrupted,
}

impl Error {
    /// For `map_err` on file operations at `path`.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "check that the temporary folder (TMPDIR) has room and is writable",
            Self::Start { .. } => "git, setpriv (util-linux) and cargo must be on PATH",
            Self::Program { .. } => "the program's own message above says what is missing",
            Self::Answer { .. } | Self::Call { .. } => {
                "is another program using the loopback ports?"
            }
            Self::Result { .. } => "this is a bug: please report it with the lines above",
            Self::UnknownAttack(_) => "ceremony --help lists the attacks",
            Self::Interrupted => "everything that was started has been stopped",
        }
    }
}
