use content::Digest;
use content::json::JsonError;

/// Why the workload stops.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody, the workload itself included, does not allow it to go on.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The terms are not what they must be.
    #[error("reading terms: {0}")]
    Terms(#[from] crate::terms::InvalidTerms),
    /// A file of the image cannot be read.
    #[error("reading {path}: {source}")]
    Read {
        /// The file.
        path: &'static str,
        /// Why.
        source: content::ReadError,
    },
    /// No whole answer came.
    #[error("{doing}: {source}")]
    Http {
        /// What was asked for.
        doing: String,
        /// What happened on the wire.
        source: Box<ureq::Error>,
    },
    /// The deadline passed before an answer came.
    #[error("{doing}: no answer before the deadline")]
    Late {
        /// What was asked for.
        doing: String,
    },
    /// An answer that says something went wrong.
    #[error("{doing}: the answer is {status} {message}")]
    Status {
        /// What was asked for.
        doing: String,
        /// The HTTP status.
        status: u16,
        /// What the answer says about it, shortened.
        message: String,
    },
    /// An answer that is not of the form it must have, lacks something, or whose parts do not agree.
    #[error("{doing}: the answer has no right {missing}")]
    Incomplete {
        /// What was asked for.
        doing: String,
        /// What is absent or wrong.
        missing: &'static str,
    },
    /// The system has no randomness to give.
    #[error("making a nonce: the system gives no randomness")]
    Randomness,
    /// What was to be sent is no JSON.
    #[error("writing request: {0}")]
    Request(#[source] JsonError),
    /// The result could not be handed over.
    #[error("writing result: {0}")]
    Result(#[source] std::io::Error),
}

impl Error {
    /// What may help.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Refused(_) => "ask the party that refuses",
            Self::Terms(_) | Self::Read { .. } => {
                "build the image again, with terms that all agreed on"
            }
            Self::Http { .. } | Self::Late { .. } => {
                "see that the services in the terms can be reached from here"
            }
            Self::Status { .. } | Self::Incomplete { .. } => {
                "see that the terms name the right services"
            }
            Self::Randomness | Self::Request(_) | Self::Result(_) => "start the workload again",
        }
    }
}

/// Why the workload is not allowed to go on: a verdict, not a malfunction.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A token that must not be believed.
    #[error("checking attestation token for {audience}: {source}")]
    Token {
        /// Whom the token is for.
        audience: String,
        /// What is wrong with it.
        source: confidential::Error,
    },
    /// Two tokens of one launch for two images.
    #[error("checking attestation token for {audience}: expected image {expected}, found {found}")]
    OtherImage {
        /// Whom the token is for.
        audience: String,
        /// The image in the tokens before.
        expected: Digest,
        /// The image in this one.
        found: Digest,
    },
    /// Parties that have not signed this image.
    #[error("checking signatures on {image_digest}: not signed by {}", .missing.join(", "))]
    NotSigned {
        /// This image.
        image_digest: Digest,
        /// The parties' names.
        missing: Vec<String>,
    },
    /// A collaborator's provider does not let the workload in.
    #[error("exchanging token of {collaborator}: {error}: {description}")]
    Exchange {
        /// Whose provider.
        collaborator: String,
        /// The OAuth error.
        error: String,
        /// What it says about it.
        description: String,
    },
    /// A service does not allow a call.
    #[error("{doing}: {message}")]
    Denied {
        /// What was asked for.
        doing: String,
        /// What the service says about it.
        message: String,
    },
    /// Data that did not come in time.
    #[error("waiting for data: after {seconds} s, {}{}", owing(.owed), during(.doing.as_deref()))]
    Overdue {
        /// Seconds waited.
        seconds: u64,
        /// Who owes how many messages.
        owed: Vec<(String, u32)>,
        /// The call that had no answer at the deadline, if there was one.
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
