//! Sizes in a lock.

use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer};

/// A size of at most `LIMIT` bytes: the lock is untrusted.
pub(super) fn at_most<'de, const LIMIT: u64, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<u64, D::Error> {
    let size = u64::deserialize(deserializer)?;
    match size <= LIMIT {
        true => Ok(size),
        false => Err(D::Error::custom(format!("more than {LIMIT} bytes"))),
    }
}
