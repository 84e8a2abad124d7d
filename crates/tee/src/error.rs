//! Why a call fails, or is refused.

use std::fmt::Display;

use crate::clock::Stopped;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A party, a service or a check of this crate refuses: a verdict, not a malfunction.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The key does not decrypt this ciphertext: the ciphertext or its additional data are at fault.
    #[error("{doing}: {reason}")]
    NotDecrypted {
        /// The operation, as a present participle.
        doing: String,
        /// The reason that Cloud KMS states, without any part of the request.
        reason: String,
    },
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
        fault: Fault,
    },
    /// The program was told to stop while it waited.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The system failed, or a request could not be written.
    #[error("{doing}: {fault}")]
    System {
        /// The operation, as a present participle.
        doing: &'static str,
        /// What failed.
        fault: String,
    },
}

/// What is wrong with an answer. Nothing of its body is quoted but the message of an error.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Fault {
    /// An error.
    #[error("the service answered {status} {message}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// The message, shortened and without parts of the request.
        message: String,
    },
    /// A field that is absent or invalid.
    #[error("the answer has no valid {0}")]
    Field(&'static str),
    /// The answer is about something else.
    #[error("expected {expected}, found {found}")]
    Other {
        /// What was asked for.
        expected: String,
        /// What the answer is about.
        found: String,
    },
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Refused(_) => "ask the collaborator or service that the message names",
            Self::NotDecrypted { .. } => {
                "check that it was encrypted with this key and this additional data"
            }
            Self::Http { .. } | Self::Late { .. } => {
                "check that the services can be reached from this machine"
            }
            Self::Answer { .. } => "check that these are the right services",
            Self::Stopped(_) | Self::System { .. } => "start the program again",
        }
    }

    /// Whether no answer came in time.
    pub fn is_timeout(&self) -> bool {
        let is_timeout = |source: &ureq::Error| matches!(source, ureq::Error::Timeout(_));
        matches!(self, Self::Late { .. })
            || matches!(self, Self::Http { source, .. } if is_timeout(source))
    }

    /// Whether a service did not answer, or not as itself, so that it may answer later.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Http { .. } | Self::Late { .. } => true,
            Self::Answer { fault, .. } => {
                matches!(fault, Fault::Status { status, .. } if *status == 429 || *status >= 500)
            }
            Self::Refused(_)
            | Self::NotDecrypted { .. }
            | Self::Stopped(_)
            | Self::System { .. } => false,
        }
    }

    /// Whether the answer was larger than the limit of the request.
    pub fn is_too_large(&self) -> bool {
        let is_large = |source: &ureq::Error| matches!(source, ureq::Error::BodyExceedsLimit(_));
        matches!(self, Self::Http { source, .. } if is_large(source))
    }

    pub(crate) fn answer(doing: &str, fault: Fault) -> Self {
        Self::Answer {
            doing: doing.to_owned(),
            fault,
        }
    }

    /// An answer whose field `missing` is absent or invalid.
    pub(crate) fn incomplete(doing: &str, missing: &'static str) -> Self {
        Self::answer(doing, Fault::Field(missing))
    }

    pub(crate) fn system(doing: &'static str, fault: impl Display) -> Self {
        Self::System {
            doing,
            fault: fault.to_string(),
        }
    }
}

/// Why the program must not continue: a verdict, not a malfunction.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {reason}")]
pub struct Refusal {
    doing: String,
    reason: String,
}

impl Refusal {
    /// `doing` is the operation, as a present participle. Neither may have a secret in it.
    pub fn new(doing: impl Into<String>, reason: impl Display) -> Self {
        Self {
            doing: doing.into(),
            reason: reason.to_string(),
        }
    }
}
