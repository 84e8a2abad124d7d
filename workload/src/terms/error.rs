//! Why terms are invalid, and the limits that they keep.

use std::fmt::Display;

use google::InvalidName;

/// The largest length of a name, or an audience, in bytes (Google limits an audience to 512).
pub(super) const TEXT_LIMIT: usize = 512;
/// The longest wait for data, in seconds. A message is held that long, plus a margin for decrypting,
/// and Pub/Sub holds a message for 600 seconds at most.
pub(super) const LONGEST_WAIT: u64 = 540;

/// Why terms are invalid.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct InvalidTerms(String);

impl InvalidTerms {
    pub(crate) fn of(fault: impl Display) -> Self {
        Self(fault.to_string())
    }

    pub(super) fn resource(invalid: InvalidName) -> Self {
        Self(format!("invalid resource name: {invalid}"))
    }
}
