//! Why terms are invalid, and the limits that they keep.

use content::InvalidDigest;
use content::json::JsonError;
use google::InvalidName;

/// The largest length of a name, or an audience, in bytes (Google limits an audience to 512).
pub(super) const TEXT_LIMIT: usize = 512;
/// The longest wait for data, in seconds. A message is held that long, plus a margin for decrypting,
/// and Pub/Sub holds a message for 600 seconds at most.
pub(super) const LONGEST_WAIT: u64 = 540;

/// Why terms are invalid.
#[derive(Debug, thiserror::Error)]
pub enum InvalidTerms {
    /// Not JSON, or not with the fields of terms.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The job does not accept its part of the terms.
    #[error(transparent)]
    Job(Box<dyn std::error::Error + Send + Sync>),
    /// Text that is empty, longer than 512 bytes, or contains control characters.
    #[error("invalid name {0:?}")]
    Text(String),
    /// Not the name of a key or a subscription.
    #[error("invalid resource name: {0}")]
    Resource(#[from] InvalidName),
    /// Not the full name of an identity provider.
    #[error(
        "invalid sts_audience {0:?}: expected //iam.googleapis.com/projects/NUMBER/locations/global/\
         workloadIdentityPools/POOL/providers/PROVIDER"
    )]
    Provider(String),
    /// An address that tokens must not be sent to.
    #[error("invalid address {0:?}: expected https, or http to a loopback address")]
    Endpoint(String),
    /// A key identifier that is not a SHA-256 digest in hex.
    #[error("signer {name}: {source}")]
    Key {
        /// The name of the signer.
        name: String,
        /// Why the digest is invalid.
        source: InvalidDigest,
    },
    /// A name, audience, provider or key that must be unique occurs twice.
    #[error("{0:?} occurs twice")]
    Duplicate(String),
    /// The default audience of attestation tokens, which cannot belong to one collaborator.
    #[error("{0:?} is the default audience of all tokens")]
    Audience(String),
    /// No collaborator, or no signer.
    #[error("no {0} is named")]
    Empty(&'static str),
    /// A collaborator that is not among the signers, so that its signature would not be required.
    #[error("collaborator {0:?} is not among the signers")]
    NotSigner(String),
    /// A collaborator with zero messages.
    #[error("{0} sends no messages")]
    Messages(String),
    /// A subscriber that is not a collaborator.
    #[error("subscriber {0:?} is not a collaborator")]
    Subscriber(String),
    /// A deadline that is zero or too long, in seconds.
    #[error("invalid deadline_seconds {0}: expected 1 to {LONGEST_WAIT}")]
    Deadline(u64),
}
