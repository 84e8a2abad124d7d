use std::fmt::Display;

use crate::terms::InvalidTerms;

/// Why the workload stops.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A party, a service or a check of the workload itself refuses to continue.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The terms of the image are invalid, or cannot be read.
    #[error("reading {0}")]
    Terms(String),
    /// No complete answer arrived.
    #[error("{doing}: {source}")]
    Http {
        /// The operation, as a present participle.
        doing: String,
        /// The cause.
        source: Box<ureq::Error>,
    },
    /// The deadline passed before an answer came.
    #[error("{doing}: no answer before the deadline")]
    Late {
        /// The operation, as a present participle.
        doing: String,
    },
    /// An answer with an error status, or one that is malformed, lacks a field, or has fields that do not match.
    #[error("{doing}: {fault}")]
    Answer {
        /// The operation, as a present participle.
        doing: String,
        /// What is wrong with the answer.
        fault: String,
    },
    /// The system failed, or a document could not be written.
    #[error("{doing}: {fault}")]
    System {
        /// The operation, as a present participle.
        doing: &'static str,
        /// What failed.
        fault: String,
    },
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Refused(_) => "ask the collaborator or service that the message names",
            Self::Terms(_) => "rebuild the image with valid terms",
            Self::Http { .. } | Self::Late { .. } => {
                "check that the services in the terms can be reached from this machine"
            }
            Self::Answer { .. } => "check that the terms name the right services",
            Self::System { .. } => "start the workload again",
        }
    }

    /// An answer with an error status. `message` is that of the answer, shortened and without parts of the request.
    pub(crate) fn status(doing: &str, status: u16, message: &str) -> Self {
        Self::Answer {
            doing: doing.to_owned(),
            fault: format!("the service answered {status} {message}"),
        }
    }

    /// An answer whose field `missing` is absent or invalid.
    pub(crate) fn incomplete(doing: &str, missing: &str) -> Self {
        Self::Answer {
            doing: doing.to_owned(),
            fault: format!("the answer has no valid {missing}"),
        }
    }

    pub(crate) fn system(doing: &'static str, fault: impl Display) -> Self {
        Self::System {
            doing,
            fault: fault.to_string(),
        }
    }
}

impl From<InvalidTerms> for Error {
    fn from(invalid: InvalidTerms) -> Self {
        Self::Terms(format!("terms: {invalid}"))
    }
}

/// Why the workload must not continue: a verdict, not a malfunction.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {reason}")]
pub struct Refusal {
    doing: String,
    reason: String,
}

impl Refusal {
    /// `doing` is the operation, as a present participle.
    pub(crate) fn new(doing: impl Into<String>, reason: impl Display) -> Self {
        Self {
            doing: doing.into(),
            reason: reason.to_string(),
        }
    }
}
