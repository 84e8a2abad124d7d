//! Conversions of Unix seconds.

use chrono::{DateTime, SecondsFormat, Utc};

/// Returns the current time, in Unix seconds.
pub type Clock = fn() -> u64;

/// The point in time; the latest one that chrono supports if `seconds` is larger.
pub fn at(seconds: u64) -> DateTime<Utc> {
    let seconds = i64::try_from(seconds).ok();
    let known = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    known.unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// The point in time in the format of RFC 3339, in UTC.
pub fn rfc3339(seconds: u64) -> String {
    at(seconds).to_rfc3339_opts(SecondsFormat::Secs, true)
}
