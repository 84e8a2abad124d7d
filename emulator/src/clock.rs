//! Seconds since 1970 as a point in time.

use chrono::{DateTime, SecondsFormat, Utc};

/// The point in time; a number beyond all calendars is the last that chrono knows.
pub fn at(seconds: u64) -> DateTime<Utc> {
    let seconds = i64::try_from(seconds).ok();
    let known = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    known.unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// The point in time as RFC 3339 writes it.
pub fn rfc3339(seconds: u64) -> String {
    at(seconds).to_rfc3339_opts(SecondsFormat::Secs, true)
}
