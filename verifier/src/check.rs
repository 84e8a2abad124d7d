//! Checks of one file offline, with keys and roots as arguments.

mod bundle;
mod envelope;
mod keys;
mod signature;

use console::text;
use keyless::Refusal;
use serde_json::{Value, json};

pub use bundle::{Bundle, Root, Signer, bundle};
pub use envelope::{Envelope, envelope};
pub use signature::{Signature, signature};

/// What is said of a file. What prevents a judgement is an error.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Judgement {
    /// It is what it claims to be.
    Accepted,
    /// It is not, for this reason.
    Refused(String),
    /// It is not: one of the checks of bundles refuses it.
    RefusedBy(Refusal),
}

impl Judgement {
    /// Whether the file is accepted.
    pub fn is_accepted(&self) -> bool {
        *self == Self::Accepted
    }

    /// The judgement on one line: characters that are not printable are escaped, since the reason may quote the file.
    pub fn line(&self) -> String {
        match self {
            Self::Accepted => "accepted".to_owned(),
            Self::Refused(reason) => text::line(&format!("refused: {reason}")),
            Self::RefusedBy(refusal) => {
                text::line(&format!("refused: {}: {refusal}", refusal.reason))
            }
        }
    }

    /// The judgement as JSON: `accepted`, and the `reason` of a refusal, for a bundle with the `check` that refuses.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Accepted => json!({"accepted": true}),
            Self::Refused(reason) => json!({"accepted": false, "reason": reason}),
            Self::RefusedBy(Refusal { reason, detail }) => {
                json!({"accepted": false, "check": reason.code(), "reason": detail})
            }
        }
    }
}
