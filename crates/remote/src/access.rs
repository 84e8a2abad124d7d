/// The access that a token must allow.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Access {
    Pull,
    Push,
}

/// The credentials that a request carries.
#[derive(Clone)]
pub(crate) enum Authorization {
    /// No credentials.
    Anonymous,
    /// The user name and password of the [`Login`](crate::login::Login).
    Basic,
    /// An access token, of the registry's token service or of the credential store.
    Bearer(String),
}
