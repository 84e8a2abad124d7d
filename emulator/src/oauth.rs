//! Errors of the token endpoints. They have the form of OAuth (RFC 6749 section 5.2), not of
//! `google.rpc.Status`.

use crate::status::Status;

/// An OAuth error.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// The error code.
    pub error: &'static str,
    /// The description for developers.
    pub description: String,
}

impl Refusal {
    /// An error with this code.
    pub fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self {
            error,
            description: description.into(),
        }
    }

    /// `server_error`: the service failed.
    pub fn server() -> Self {
        Self::new("server_error", "Internal error encountered.")
    }
}

/// The failure of another service becomes `server_error`, without details.
impl From<Status> for Refusal {
    fn from(_: Status) -> Self {
        Self::server()
    }
}
