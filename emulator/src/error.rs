//! Why the emulator cannot be started, and errors of files.

use std::io;
use std::path::{Path, PathBuf};

use console::hint;
use content::json::JsonError;

/// An error of the system at a file or folder.
#[derive(Debug, thiserror::Error)]
#[error("{doing} {}: {source}", path.display())]
pub struct At {
    doing: &'static str,
    path: PathBuf,
    /// The cause.
    pub source: io::Error,
}

impl At {
    /// An error of reading `path`.
    pub fn reading(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        Self::doing("reading", path)
    }

    /// An error of writing `path`.
    pub fn writing(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        Self::doing("writing", path)
    }

    fn doing(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self {
            doing,
            path,
            source,
        }
    }
}

/// Why the services cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A project is named twice.
    #[error("setting up project {0}: it exists already")]
    Duplicate(String),
    /// The number of a project, which is derived from its ID, belongs to another project.
    #[error("setting up project {project}: project {other} has the same number {number}")]
    Number {
        /// The project.
        project: String,
        /// The number of both.
        number: String,
        /// The project that has the number already.
        other: String,
    },
    /// A key or state cannot be made.
    #[error("making keys of {0}: the cryptographic library failed")]
    Key(String),
    /// The file of an earlier run is not a service account key file.
    #[error("reading {}: not a service account key file", .0.display())]
    Credentials(PathBuf),
    /// The file is not what an emulator of this version writes.
    #[error("reading {}: {source}", path.display())]
    State {
        /// The path of the file.
        path: PathBuf,
        /// The cause.
        source: JsonError,
    },
    /// A file or folder of the state cannot be used.
    #[error(transparent)]
    File(#[from] At),
    /// Another emulator uses the state folder.
    #[error("using {}: another emulator is using the folder", .0.display())]
    Taken(PathBuf),
    /// No port can be opened.
    #[error("listening on loopback: {0}")]
    Listen(#[source] io::Error),
    /// Threads, signals or output of the process fail.
    #[error("starting services: {0}")]
    Start(#[source] io::Error),
}

impl StartError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Duplicate(_) => "name each project once",
            Self::Number { .. } => "choose another ID for one of the two projects",
            Self::Key(_) => "is the random number generator of the system available?",
            Self::Credentials(_) => "remove the file to have a new one made",
            Self::State { .. } => "was it written by another version? choose another state folder",
            Self::File(at) => hint::of_file(&at.source),
            Self::Taken(_) => "choose another folder, or stop the other emulator",
            Self::Listen(_) => "is there a free port on loopback?",
            Self::Start(_) => {
                "is a limit on processes or files reached, or is standard output closed?"
            }
        }
    }
}
