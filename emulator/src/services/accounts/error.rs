use std::io;
use std::path::PathBuf;

use super::ProjectId;

/// Why a project cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The project exists already.
    #[error("setting up project {project}: it exists already")]
    Duplicate {
        /// The project.
        project: ProjectId,
    },
    /// The number of the project, which is derived from its ID, belongs to another project.
    #[error("setting up project {project}: project {other} has the same number {number}")]
    Number {
        /// The project.
        project: ProjectId,
        /// The number of both.
        number: String,
        /// The project that has the number already.
        other: ProjectId,
    },
    /// A key cannot be made.
    #[error("making keys of project {project}: the cryptographic library failed")]
    Key {
        /// The project.
        project: ProjectId,
    },
    /// A file of an earlier run cannot be read.
    #[error("reading {}: {source}", path.display())]
    Read {
        /// The path of the file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A credentials file of an earlier run is invalid.
    #[error("reading {}: not a service account key file", path.display())]
    Credentials {
        /// The path of the file.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("writing {}: {source}", path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl AccountError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Duplicate { .. } => "name each project once",
            Self::Number { .. } => "choose another ID for one of the two projects",
            Self::Key { .. } => "is the random number generator of the system available?",
            Self::Read { .. } => "is the state folder readable?",
            Self::Credentials { .. } => "remove the file to have a new one made",
            Self::File { .. } => "is the state folder writable, and is there space left?",
        }
    }
}
