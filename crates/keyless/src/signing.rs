//! What a signer without a key of its own sends to the services of a Sigstore instance, and reads in their answers. The
//! requests themselves are sent by other crates.

mod certificate;
mod config;
mod entry;
mod material;
mod timestamp;
mod token;

pub use certificate::{certificate, certificate_request};
pub use config::{Services, SigningConfig};
pub use entry::{LogEntry, log_request};
pub use material::Material;
pub use timestamp::{Timestamp, timestamp_request};
pub use token::IdentityToken;

/// The largest answer of a service, in bytes. A log entry with its proof is the largest.
pub const ANSWER: u64 = 256 << 10;

/// A document or an answer that cannot be used, in words. They may quote it, unless it is an identity token.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(String);

impl Invalid {
    fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}
