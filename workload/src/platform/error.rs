use std::io;

use content::json::JsonError;
use tee::Refusal;

use crate::terms::InvalidTerms;

/// Why the workload stops.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A party, a service or a check of the workload itself refuses to continue.
    #[error(transparent)]
    Refused(Refusal),
    /// The terms of the image cannot be read.
    #[error("reading terms: {0}")]
    Unread(#[from] content::ReadError),
    /// The terms of the image are invalid.
    #[error("reading terms: {0}")]
    Terms(#[from] InvalidTerms),
    /// A service fails.
    #[error(transparent)]
    Service(tee::Error),
    /// A file of the image cannot be read.
    #[error("reading {path}: {source}")]
    Image {
        /// The path in the image.
        path: String,
        /// The cause.
        source: content::ReadError,
    },
    /// The program of the job cannot be run.
    #[error("{source}")]
    Program {
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
        /// What the user can do about it.
        hint: &'static str,
    },
    /// A request cannot be written.
    #[error("writing request: {0}")]
    Request(JsonError),
    /// The result cannot be written.
    #[error("writing result: {0}")]
    Output(io::Error),
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Refused(_) => "ask the collaborator or service that the message names",
            Self::Unread(_) | Self::Terms(_) => "rebuild the image with valid terms",
            Self::Image { .. } => "rebuild the image with this file",
            Self::Program { hint, .. } => hint,
            Self::Service(error) => error.hint(),
            Self::Request(_) | Self::Output(_) => "start the workload again",
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<tee::Error> for Error {
    fn from(error: tee::Error) -> Self {
        match error {
            tee::Error::Refused(refusal) => Self::Refused(refusal),
            error => Self::Service(error),
        }
    }
}
