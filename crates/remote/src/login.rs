use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use content::ReadError;
use content::json::JsonError;

/// What a registry is told about who asks.
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Login {
    Anonymous,
    /// Name and password.
    Basic(String, String),
    /// A token that the registry's token service takes in their place.
    Refresh(String),
    /// Nothing either, and why: a helper that should know more does not work. That is the user's
    /// concern only where a registry wants credentials.
    Unreadable(Arc<CredentialFault>),
}

/// Why credentials cannot be read. Never holds any.
#[derive(Debug, thiserror::Error)]
pub enum CredentialFault {
    /// The file is there but cannot be read.
    #[error("reading {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ReadError,
    },
    /// The file is no such JSON.
    #[error("reading {}: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Why.
        source: JsonError,
    },
    /// The member `auth` is not base64 of `user:password`.
    #[error("auth of {key:?} is not base64 of USER:PASSWORD")]
    Auth {
        /// The registry's key in the file.
        key: String,
    },
    /// A helper's name that could be a path or an option.
    #[error("helper {name:?} has a name with other characters than letters, digits, - and _")]
    HelperName {
        /// The name.
        name: String,
    },
    /// A helper that cannot be run.
    #[error("running docker-credential-{name}: {source}")]
    Helper {
        /// The helper.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// A helper that fails, or whose answer cannot be read.
    #[error("docker-credential-{name} gave no credentials: exit status {status:?}")]
    HelperAnswer {
        /// The helper.
        name: String,
        /// Its exit status, if it ended by itself.
        status: Option<i32>,
    },
}
