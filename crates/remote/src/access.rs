/// What a token must allow.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Access {
    Pull,
    Push,
}

/// What a registry is told with each request.
#[derive(Clone)]
pub(crate) enum Authorization {
    /// Nothing.
    Anonymous,
    /// Our name and password.
    Basic,
    /// A token that it let us have.
    Bearer(String),
}
