//! Judging one file offline, with keys and roots as arguments.

mod envelope;
mod keys;
mod signature;

use serde_json::{Value, json};

pub use envelope::{Envelope, envelope};
pub use signature::{Signature, signature};

/// What is said of a file. What prevents a judgement is an error.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Judgement {
    /// It is what it claims to be.
    Accepted,
    /// It is not, for this reason.
    Refused(String),
}

impl Judgement {
    /// Whether the file is accepted.
    pub fn is_accepted(&self) -> bool {
        *self == Self::Accepted
    }

    /// The judgement on one line.
    pub fn line(&self) -> String {
        match self {
            Self::Accepted => "accepted".to_owned(),
            Self::Refused(reason) => format!("refused: {reason}"),
        }
    }

    /// The judgement as JSON: `accepted`, and the `reason` of a refusal.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Accepted => json!({"accepted": true}),
            Self::Refused(reason) => json!({"accepted": false, "reason": reason}),
        }
    }
}
