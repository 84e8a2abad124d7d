use std::fmt;
use std::sync::Arc;

use oci::Repository;

use super::Error;
use super::discover::DiscoveryError;

/// How the operator is told.
pub type Report = Arc<dyn Fn(&Notice) + Send + Sync>;

/// Something that the launcher logs and then goes on.
#[derive(Debug)]
pub enum Notice {
    /// No signatures could be had from a repository.
    Signatures {
        /// The repository.
        repository: Repository,
        /// Why.
        error: DiscoveryError,
    },
    /// A signature does not hold, in the attestation service's words.
    Partial(String),
    /// The default token could not be renewed.
    TokenFile(Error),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signatures { repository, error } => {
                write!(f, "fetching signatures from {repository}: {error}")
            }
            Self::Partial(text) => write!(f, "getting token: partial error: {text}"),
            Self::TokenFile(error) => write!(f, "renewing default token: {error}"),
        }
    }
}
