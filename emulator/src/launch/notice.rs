use std::fmt;
use std::sync::Arc;
use std::time::Duration;

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
    /// The workload was started.
    Started,
    /// The image runs as root, and the launcher does not.
    OnlyRoot,
    /// The workload was asked to end, and has this much time.
    Stopping(Duration),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signatures { repository, error } => {
                write!(f, "fetching signatures from {repository}: {error}")
            }
            Self::Partial(text) => write!(f, "getting token: partial error: {text}"),
            Self::TokenFile(error) => write!(f, "renewing default token: {error}"),
            Self::OnlyRoot => f.write_str(
                "the image runs as root, and this launcher does not: the workload cannot become another user, as the job exec \
                 does; run the launcher as root for that",
            ),
            Self::Started => f.write_str("workload task started"),
            Self::Stopping(grace) => write!(
                f,
                "stopping: the workload got SIGTERM, and is killed after {} s",
                grace.as_secs()
            ),
        }
    }
}
