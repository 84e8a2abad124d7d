//! Checks of one file offline, with keys and roots as arguments.

mod bundle;
mod chain;
mod condition;
mod envelope;
mod image;
mod keys;
mod layer;
mod layout;
mod sbom;
mod signature;
mod statement;
mod token;

use std::path::Path;

use console::at::At;
use console::text;
use content::ReadError;
use keyless::Refusal;
use serde_json::Value;

use crate::Error;

pub use self::sbom::{Advisories, Sbom, sbom};
pub use bundle::{Bundle, Root, Signer, bundle};
pub use condition::{Condition, condition};
pub use envelope::{Envelope, envelope};
pub use image::image;
pub use layer::layer;
pub use signature::{Signature, signature};
pub use statement::statement;
pub use token::{Images, Token, Trust, token};

/// What is said of a file. What prevents a judgement is an error.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Judgement {
    /// It is what it claims to be.
    Accepted,
    /// It is what it claims to be, namely this.
    AcceptedAs(String),
    /// It is not, for this reason.
    Refused(String),
    /// It is not: one of the checks of bundles refuses it, or a key is damaged.
    RefusedBy(Refusal),
}

impl Judgement {
    /// Whether the file is accepted.
    pub fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted | Self::AcceptedAs(_))
    }

    /// The judgement on one line: characters that are not printable are escaped, since the reason may quote the file.
    pub fn line(&self) -> String {
        match self {
            Self::Accepted => "accepted".to_owned(),
            Self::AcceptedAs(what) => text::line(&format!("accepted: {what}")),
            Self::Refused(reason) => text::line(&format!("refused: {reason}")),
            Self::RefusedBy(refusal) => {
                text::line(&format!("refused: {}: {refusal}", refusal.reason))
            }
        }
    }

    /// The judgement as JSON, with the facts: `accepted`, and the `reason` of a refusal, for a bundle or a damaged key with
    /// the `check` that refuses.
    pub fn to_json(&self, mut facts: Facts) -> Value {
        facts.insert("accepted".to_owned(), self.is_accepted().into());
        match self {
            Self::Accepted | Self::AcceptedAs(_) => {}
            Self::Refused(reason) => {
                facts.insert("reason".to_owned(), reason.as_str().into());
            }
            Self::RefusedBy(Refusal { reason, detail }) => {
                facts.insert("check".to_owned(), reason.code().into());
                facts.insert("reason".to_owned(), detail.as_str().into());
            }
        }
        facts.into()
    }
}

/// What was read from the file, for a report in JSON.
pub type Facts = serde_json::Map<String, Value>;

/// The reason of a refusal, if the error is about a layer and not about reading the file at `path`.
fn refusal(path: &Path, error: oci::Error) -> Result<String, Error> {
    use oci::Error::{Content, File, Invalid, ReadLayer, WriteLayer};
    let reason = error.to_string();
    match error {
        File(at) => Err(at.into()),
        Content {
            source: ReadError::Io(cause),
            ..
        }
        | ReadLayer(ReadError::Io(cause))
        | WriteLayer(cause)
            if cause.raw_os_error().is_some() =>
        {
            Err(At::reading(path)(cause).into())
        }
        Invalid { .. } | Content { .. } | ReadLayer(_) | WriteLayer(_) => Ok(reason),
    }
}
