use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use content::ReadError;

/// The credentials for a repository.
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Login {
    Anonymous,
    Known(Credentials),
    /// No credentials, because a helper failed. The error is reported only if the registry requires
    /// credentials.
    Unreadable(Arc<CredentialFault>),
}

/// What a credential store has for one key (docker/cli, `types.AuthConfig`). Which of them is sent depends on
/// the registry's challenge.
#[derive(Default, Eq, PartialEq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Credentials {
    /// User name and password, for the registry or its token service.
    pub(crate) basic: Option<(String, String)>,
    /// A refresh token for the registry's token service.
    pub(crate) identity_token: Option<String>,
    /// An access token, which is sent to the registry as it is.
    pub(crate) registry_token: Option<String>,
}

/// A user name and a password. Without one of them neither is sent (crane, `basicTransport`): Docker writes
/// a user without a password beside an identity token.
pub(crate) fn basic(user: String, password: String) -> Option<(String, String)> {
    (!user.is_empty() && !password.is_empty()).then_some((user, password))
}

/// The text, unless it is empty.
pub(crate) fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

impl Login {
    pub(crate) fn of(credentials: Credentials) -> Self {
        match credentials == Credentials::default() {
            true => Self::Anonymous,
            false => Self::Known(credentials),
        }
    }

    fn known(&self) -> Option<&Credentials> {
        match self {
            Self::Known(credentials) => Some(credentials),
            Self::Anonymous | Self::Unreadable(_) => None,
        }
    }

    pub(crate) fn basic(&self) -> Option<(&str, &str)> {
        let (user, password) = self.known()?.basic.as_ref()?;
        Some((user, password))
    }

    pub(crate) fn identity_token(&self) -> Option<&str> {
        self.known()?.identity_token.as_deref()
    }

    pub(crate) fn registry_token(&self) -> Option<&str> {
        self.known()?.registry_token.as_deref()
    }
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
    /// The file is not a JSON document of Docker's format. The parser's error would repeat a part of it.
    #[error(
        "reading {}: line {line}, column {column}: not JSON as `docker login` writes it",
        path.display()
    )]
    Json {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
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
