use std::fmt;
use std::sync::Arc;

use oci::Repository;

use super::Error;
use super::discover::DiscoveryError;

/// Receives the notices of a launch.
pub type Report = Arc<dyn Fn(&Notice) + Send + Sync>;

/// A problem that the launcher logs before it continues.
#[derive(Debug)]
pub enum Notice {
    /// Signatures could not be fetched from a repository.
    Signatures {
        /// The repository.
        repository: Repository,
        /// The cause.
        error: DiscoveryError,
    },
    /// A signature is invalid, in the words of the attestation service.
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
