//! The archive's signed index of its indices (Debian repository format, `Release`). A key of the archive
//! signs many of them: every release of every year. So what was signed must also say what it is for.

use std::time::{Duration, SystemTime};

use content::Digest;

use super::ArchiveError;

/// What was signed.
pub(super) struct Release(String);

impl Release {
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }

    /// Whether this is of `suite`, by its name or its code name, and still valid at `now`.
    ///
    /// Debian's `main` is valid without end, so that an old one of the same suite passes: what it names is
    /// in the lock by version, for whoever reviews that.
    ///
    /// # Errors
    /// It is not.
    pub(super) fn check(&self, suite: &str, now: SystemTime) -> Result<(), ArchiveError> {
        let names = ["Codename", "Suite"].map(|field| self.field(field));
        if !names.contains(&Some(suite)) {
            return Err(ArchiveError::Suite {
                expected: suite.to_owned(),
                found: names[0].or(names[1]).unwrap_or("none").to_owned(),
            });
        }
        let Some(until) = self.field("Valid-Until") else {
            return Ok(());
        };
        match date(until) {
            Some(end) if now <= end => Ok(()),
            _ => Err(ArchiveError::Expired {
                until: until.to_owned(),
            }),
        }
    }

    /// The SHA-256 that it names for `file`.
    pub(super) fn digest(&self, file: &str) -> Option<Digest> {
        let lines = self.0.lines().skip_while(|line| *line != "SHA256:").skip(1);
        let mut lines = lines.take_while(|line| line.starts_with(' '));
        let line = lines.find(|line| line.split_whitespace().nth(2) == Some(file))?;
        Digest::from_hex(line.split_whitespace().next()?).ok()
    }

    fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.0.lines();
        lines.find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
    }
}

/// `Mon, 30 Nov 2026 11:22:37 UTC` (RFC 5322, `date-time`, in UTC as the format wants it).
fn date(text: &str) -> Option<SystemTime> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let [_, day, month, year, time, "UTC" | "GMT" | "+0000"] =
        text.split_whitespace().collect::<Vec<_>>()[..]
    else {
        return None;
    };
    let month = MONTHS.iter().position(|name| *name == month)?;
    let number = |text: &str| text.parse::<u32>().ok().map(u64::from);
    let [hour, minute, second] = time.split(':').map(number).collect::<Vec<_>>()[..] else {
        return None;
    };
    let year = number(year).filter(|year| (1970..10_000).contains(year))?;
    let days = days_before(year, month) + number(day)?.checked_sub(1)?;
    let seconds = days * 86_400 + hour? * 3600 + minute? * 60 + second?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Days from 1970 to the first of a month, which is counted from 0 (Gregorian calendar).
fn days_before(year: u64, month: usize) -> u64 {
    const DAYS: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap_years = |year: u64| year / 4 - year / 100 + year / 400;
    let is_leap = leap_years(year) > leap_years(year - 1);
    let own = u64::from(is_leap && month > 1);
    (year - 1970) * 365 + leap_years(year - 1) - leap_years(1969) + DAYS[month] + own
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<u64> {
        let since = date(text)?.duration_since(SystemTime::UNIX_EPOCH);
        since.ok().map(|since| since.as_secs())
    }

    #[test]
    fn reads_dates() {
        assert_eq!(seconds("Thu, 01 Jan 1970 00:00:00 UTC"), Some(0));
        assert_eq!(seconds("Tue, 29 Feb 2000 12:00:00 UTC"), Some(951_825_600));
        assert_eq!(
            seconds("Mon, 30 Nov 2026 11:22:37 UTC"),
            Some(1_796_037_757)
        );
        for wrong in [
            "",
            "2026-11-30",
            "Mon, 30 Nov 2026 11:22 UTC",
            "Mon, 30 Nov 2026 11:22:37 CET",
        ] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn is_of_one_suite_and_ends() {
        let end = "Valid-Until: Mon, 30 Nov 2026 11:22:37 UTC\n";
        let release = Release::new(format!(
            "Origin: O\nSuite: oldstable\nCodename: bookworm\n{end}"
        ));
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let (before, after) = (at(1_796_037_757), at(1_796_037_758));
        for suite in ["bookworm", "oldstable"] {
            release.check(suite, before).unwrap();
        }
        for suite in ["bullseye", "bookworm-security", ""] {
            let refused = release.check(suite, before);
            assert!(
                matches!(refused, Err(ArchiveError::Suite { .. })),
                "{suite}"
            );
        }
        let late = release.check("bookworm", after);
        assert!(matches!(late, Err(ArchiveError::Expired { .. })));
        let unreadable = Release::new("Suite: s\nValid-Until: tomorrow\n".to_owned());
        assert!(unreadable.check("s", before).is_err());
        Release::new("Suite: s\n".to_owned())
            .check("s", after)
            .unwrap();
    }

    #[test]
    fn finds_the_digest_in_the_right_section() {
        let (wrong, right) = (Digest::of(b"wrong").hex(), Digest::of(b"right"));
        let release = Release::new(format!(
            "Suite: s\nMD5Sum:\n {wrong} 7 main/Packages.xz\nSHA256:\n {wrong} 7 contrib/main/Packages.xz\n {} 7 main/Packages.xz\nX: y\n",
            right.hex()
        ));
        assert_eq!(release.digest("main/Packages.xz"), Some(right));
        assert_eq!(release.digest("main/Other.xz"), None);
    }
}
