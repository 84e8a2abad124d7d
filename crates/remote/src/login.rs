/// The credentials for a repository.
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Login {
    Anonymous,
    Known(Credentials),
    /// No credentials, because a helper failed. The error is reported only if the registry requires
    /// credentials.
    Unreadable(CredentialFault),
}

/// The credentials in a credential store for one key (docker/cli, `types.AuthConfig`). Which of them are sent depends on
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
/// a user without a password together with an identity token.
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
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct CredentialFault(pub(crate) String);
