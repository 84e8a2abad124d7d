//! Refusals of the endpoints that give out tokens: OAuth's (RFC 6749, section 5.2), not
//! `google.rpc.Status`.

use crate::status::Status;

/// A refusal, in OAuth's words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// Its code.
    pub error: &'static str,
    /// What a person reads.
    pub description: String,
}

impl Refusal {
    /// A refusal with this code.
    pub fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self {
            error,
            description: description.into(),
        }
    }

    /// The service itself failed.
    pub fn server() -> Self {
        Self::new("server_error", "Internal error encountered.")
    }
}

/// A service that fails says no more about it.
impl From<Status> for Refusal {
    fn from(_: Status) -> Self {
        Self::server()
    }
}
