//! Times in the formats of archives and locks.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, SubsecRound as _, Utc};
use serde::{Deserialize, Serialize};

/// A time in UTC, in seconds. Locks use the format of RFC 3339: `2026-07-11T10:17:11Z`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Time(DateTime<Utc>);

/// Text that is not a time in the format of RFC 3339.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("parsing time: expected the format of 2026-07-11T10:17:11Z")]
pub struct InvalidTime;

impl Time {
    /// The time `seconds` after the start of 1970; `None` if it is out of range.
    pub fn from_unix(seconds: i64) -> Option<Self> {
        DateTime::from_timestamp(seconds, 0).map(Self)
    }

    /// A date of a release file: `Mon, 30 Nov 2026 11:22:37 UTC` (Debian repository format; RFC 5322,
    /// `date-time`, in UTC).
    pub fn from_release(text: &str) -> Option<Self> {
        let local = ["UTC", "GMT", "+0000"]
            .iter()
            .find_map(|zone| text.strip_suffix(zone))?;
        let time = DateTime::parse_from_rfc2822(&format!("{local}+0000")).ok()?;
        Some(Self(time.to_utc()))
    }
}

impl From<SystemTime> for Time {
    fn from(time: SystemTime) -> Self {
        Self(DateTime::from(time).trunc_subsecs(0))
    }
}

impl FromStr for Time {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| InvalidTime)?;
        Ok(Self(time.to_utc().trunc_subsecs(0)))
    }
}

impl TryFrom<String> for Time {
    type Error = InvalidTime;

    fn try_from(text: String) -> Result<Self, InvalidTime> {
        text.parse()
    }
}

impl From<Time> for String {
    fn from(time: Time) -> Self {
        time.to_string()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_dates_of_release_files() {
        let unix = |seconds| Some(Time::from_unix(seconds).unwrap());
        assert_eq!(Time::from_release("Thu, 01 Jan 1970 00:00:00 UTC"), unix(0));
        assert_eq!(
            Time::from_release("Tue, 29 Feb 2000 12:00:00 GMT"),
            unix(951_825_600)
        );
        assert_eq!(
            Time::from_release("Mon, 30 Nov 2026 11:22:37 UTC"),
            unix(1_796_037_757)
        );
        for wrong in [
            "",
            "tomorrow",
            "2026-11-30",
            "Mon, 30 Nov 2026 11:22:37",
            "Mon, 30 Nov 2026 11:22:37 CET",
        ] {
            assert_eq!(Time::from_release(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn is_written_as_it_is_read() {
        let text = "2026-07-11T10:17:11Z";
        assert_eq!(text.parse::<Time>().unwrap().to_string(), text);
        assert_eq!(Time::from_unix(1_783_765_031).unwrap().to_string(), text);
        assert_eq!("11 Jul 2026".parse::<Time>(), Err(InvalidTime));
    }
}
