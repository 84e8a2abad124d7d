//! Why nothing was sent, and what the user can do about it.

use std::path::PathBuf;

use console::hint::{self, Hinted};
use content::at::At;
use grant::InvalidGrant;

/// Nothing was sent, or it is unknown whether it was. What is wrong with the key is not an error but a finding.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error(transparent)]
    At(#[from] At),
    /// The data is longer than Cloud KMS encrypts.
    #[error("reading the data: more than {limit} bytes, which Cloud KMS does not encrypt")]
    Long {
        /// The limit in bytes.
        limit: usize,
    },
    /// The grant is invalid.
    #[error("{}: {source}", path.display())]
    Grant {
        /// The file.
        path: PathBuf,
        /// The error of the parser.
        source: InvalidGrant,
    },
    /// The command cannot be carried out with these arguments, or a service fails.
    #[error(transparent)]
    Hinted(#[from] Hinted),
    /// A signal came.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// Whether the message has lines of the user's own file in it: an excerpt of its parser.
    pub fn quotes_a_file(&self) -> bool {
        matches!(self, Self::Grant { .. })
    }

    /// What the user can do, on one line.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::At(at) => hint::of_file(&at.source),
            Self::Long { .. } => {
                "encrypt the data with a new key, put it where the workload can fetch it, and send the key with this command: \
                 docs/messages.md shows how"
            }
            Self::Grant { .. } => grant::EXAMPLE,
            Self::Hinted(error) => return error.hint(),
            Self::Interrupted => return None,
        })
    }
}
