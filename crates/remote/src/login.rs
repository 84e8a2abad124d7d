use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use content::ReadError;
use content::json::JsonError;

/// The credentials for a registry.
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Login {
    Anonymous,
    /// User name and password.
    Basic(String, String),
    /// A refresh token for the registry's token service.
    Refresh(String),
    /// No credentials, because a helper failed. The error is reported only if the registry requires
    /// credentials.
    Unreadable(Arc<CredentialFault>),
}

/// Why credentials cannot be read. Contains no credentials.
#[derive(Debug, thiserror::Error)]
pub enum CredentialFault {
    /// The file exists but cannot be read.
    #[error("reading {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error, or the limit that was exceeded.
        source: ReadError,
    },
    /// The file is not a JSON document of Docker's format.
    #[error("reading {}: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The parser's error.
        source: JsonError,
    },
    /// The member `auth` is not base64 of `user:password`.
    #[error("auth of {key:?} is not base64 of USER:PASSWORD")]
    Auth {
        /// The registry's key in the file.
        key: String,
    },
    /// A helper's name that could be a path or an option.
    #[error("invalid credential helper {name:?}: expected letters, digits, -, _ and .")]
    HelperName {
        /// The name in the file.
        name: String,
    },
    /// A helper cannot be run.
    #[error("running docker-credential-{name}: {source}")]
    Helper {
        /// The helper's name, without `docker-credential-`.
        name: String,
        /// The system's error.
        source: io::Error,
    },
    /// A helper failed, or its answer cannot be parsed.
    #[error("docker-credential-{name} returned no credentials: {}", ending(*status))]
    HelperAnswer {
        /// The helper's name, without `docker-credential-`.
        name: String,
        /// Its exit status; `None` if a signal ended it.
        status: Option<i32>,
    },
}

fn ending(status: Option<i32>) -> String {
    match status {
        Some(0) => "its answer is not a JSON object".to_owned(),
        Some(status) => format!("exit status {status}"),
        None => "ended by a signal".to_owned(),
    }
}
