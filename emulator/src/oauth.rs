//! Refusals of the endpoints that give out tokens: OAuth's (RFC 6749, section 5.2), not
//! `google.rpc.Status`.

use serde_json::{Value, json};

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

    /// The refusal as JSON.
    pub fn to_json(&self) -> Value {
        json!({"error": self.error, "error_description": self.description})
    }
}
