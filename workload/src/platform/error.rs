use content::Digest;
use content::json::JsonError;

/// Why the workload stops.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A party, a service or a check of the workload itself refuses to continue.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The terms are invalid.
    #[error("reading terms: {0}")]
    Terms(#[from] crate::terms::InvalidTerms),
    /// A file of the image cannot be read.
    #[error("reading {path}: {source}")]
    Read {
        /// The path of the file.
        path: &'static str,
        /// The cause.
        source: content::ReadError,
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
    /// An answer with an error status.
    #[error("{doing}: the service answered {status} {message}")]
    Status {
        /// The operation, as a present participle.
        doing: String,
        /// The HTTP status.
        status: u16,
        /// The message of the answer, shortened and without parts of the request.
        message: String,
    },
    /// An answer that is malformed, lacks a field, or has fields that do not match.
    #[error("{doing}: the answer has no valid {missing}")]
    Incomplete {
        /// The operation, as a present participle.
        doing: String,
        /// The field that is absent or invalid.
        missing: &'static str,
    },
    /// The random number generator of the system failed.
    #[error("making a nonce: the random number generator of the system failed")]
    Randomness,
    /// A request cannot be written as JSON.
    #[error("writing request: {0}")]
    Request(#[source] JsonError),
    /// The result could not be written.
    #[error("writing result: {0}")]
    Result(#[source] std::io::Error),
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Refused(_) => "ask the party that refused",
            Self::Terms(_) | Self::Read { .. } => "rebuild the image with valid terms",
            Self::Http { .. } | Self::Late { .. } => {
                "check that the services in the terms can be reached from this machine"
            }
            Self::Status { .. } | Self::Incomplete { .. } => {
                "check that the terms name the right services"
            }
            Self::Randomness | Self::Request(_) | Self::Result(_) => "start the workload again",
        }
    }
}

/// Why the workload must not continue: a verdict, not a malfunction.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A token that is invalid.
    #[error("checking attestation token for {audience}: {source}")]
    Token {
        /// The audience of the token.
        audience: String,
        /// Why it is invalid.
        source: confidential::Error,
    },
    /// Two tokens of one launch name different images.
    #[error("checking attestation token for {audience}: expected image {expected}, found {found}")]
    OtherImage {
        /// The audience of the token.
        audience: String,
        /// The image in the earlier tokens.
        expected: Digest,
        /// The image in this token.
        found: Digest,
    },
    /// Parties that have not signed this image.
    #[error("checking signatures on {image_digest}: not signed by {}", .missing.join(", "))]
    NotSigned {
        /// This image.
        image_digest: Digest,
        /// The names of the parties.
        missing: Vec<String>,
    },
    /// A collaborator's provider refuses the workload's token.
    #[error("exchanging token of {collaborator}: {error}: {description}")]
    Exchange {
        /// The collaborator.
        collaborator: String,
        /// The error code (RFC 6749 section 5.2).
        error: String,
        /// The error description; may be empty.
        description: String,
    },
    /// A service denies a call.
    #[error("{doing}: {message}")]
    Denied {
        /// The operation, as a present participle.
        doing: String,
        /// The message of the service.
        message: String,
    },
    /// Not all data arrived before the deadline.
    #[error("waiting for data: after {seconds} s, {}{}", owing(.owed), during(.doing.as_deref()))]
    Overdue {
        /// The wait, in seconds.
        seconds: u64,
        /// The collaborators that owe messages, with the number of messages.
        owed: Vec<(String, u32)>,
        /// The call that was open at the deadline, if there was one.
        doing: Option<String>,
    },
}

fn owing(owed: &[(String, u32)]) -> String {
    let each: Vec<_> = owed
        .iter()
        .map(|(name, count)| format!("{name} owes {count}"))
        .collect();
    each.join(", ")
}

fn during(doing: Option<&str>) -> String {
    doing.map_or_else(String::new, |doing| {
        format!("; no answer yet while {doing}")
    })
}
