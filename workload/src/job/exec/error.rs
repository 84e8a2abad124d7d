use std::io;
use std::path::PathBuf;

/// Why a program cannot be started or supervised.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// This process cannot become another user.
    #[error(
        "handing secrets over: this process is user {uid}, so the program would be the same user, and nothing could hide the \
         launcher's token socket from it: it could obtain tokens in the name of the image"
    )]
    NotRoot {
        /// The user that this process is.
        uid: u32,
    },
    /// This process cannot be protected from the program.
    #[error("protecting the memory of the workload: {0}")]
    Protect(#[source] io::Error),
    /// Signals cannot be held.
    #[error("holding signals: {0}")]
    Signals(#[source] io::Error),
    /// A folder could not be closed or made.
    #[error("{doing} {}: {source}", path.display())]
    Folder {
        /// What was being done.
        doing: &'static str,
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A folder is not in memory.
    #[error("handing secrets over: {} is not a file system in memory", path.display())]
    NotInMemory {
        /// The folder.
        path: PathBuf,
    },
    /// A secret could not be handed over.
    #[error("handing over secret {name}: {source}")]
    Secret {
        /// The secret.
        name: String,
        /// The cause.
        source: io::Error,
    },
    /// A secret that cannot be an environment variable.
    #[error("handing over secret {name}: its NUL byte cannot be in an environment variable")]
    Nul {
        /// The secret.
        name: String,
    },
    /// The program could not be started.
    #[error("starting {program:?}: {source}")]
    Start {
        /// The program.
        program: String,
        /// The cause.
        source: io::Error,
    },
    /// The program could not be waited for.
    #[error("waiting for the program: {0}")]
    Wait(#[source] io::Error),
}

impl ExecError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotRoot { .. } => {
                "leave `user` of the image empty: the workload starts the program as the user in the terms"
            }
            Self::NotInMemory { .. } => {
                "launch the image in Confidential Space, where /dev/shm is in memory"
            }
            Self::Nul { .. } => "give the secret as a file",
            Self::Secret { .. } => {
                "give /dev/shm of the container more room than its secrets need (tee-dev-shm-size-kb)"
            }
            Self::Protect(_)
            | Self::Signals(_)
            | Self::Folder { .. }
            | Self::Start { .. }
            | Self::Wait(_) => {
                "launch the image in Confidential Space, with `user` of the image left empty"
            }
        }
    }
}
