use std::io;
use std::path::PathBuf;

use super::ProjectId;

/// A project that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// A project that is there already.
    #[error("setting up project {project}: it is there already")]
    Twice {
        /// Which one.
        project: ProjectId,
    },
    /// Numbers are made from IDs, and two of them came out alike.
    #[error("setting up project {project}: its number {number} is that of project {other}")]
    Number {
        /// Which one.
        project: ProjectId,
        /// The number of both.
        number: String,
        /// Which one has it.
        other: ProjectId,
    },
    /// A key cannot be made.
    #[error("making keys of project {project}: the cryptographic library failed")]
    Key {
        /// Whose.
        project: ProjectId,
    },
    /// A file of an earlier run cannot be read.
    #[error("reading {}: {source}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file of an earlier run is not what was written there.
    #[error("reading {}: not a service account key file", path.display())]
    Credentials {
        /// Which one.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("writing {}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl AccountError {
    /// What can be done about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Twice { .. } => "name each project once",
            Self::Number { .. } => "choose another ID for one of the two",
            Self::Key { .. } => "is the system's random source available?",
            Self::Read { .. } => "is the state folder yours?",
            Self::Credentials { .. } => "remove the file, and a new one is made",
            Self::File { .. } => "is the state folder writable, and is there space left?",
        }
    }
}
