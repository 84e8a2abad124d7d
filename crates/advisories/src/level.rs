//! How severe an advisory is.

use std::fmt;
use std::str::FromStr;

use cvss::{Cvss, Severity};

/// How severe an advisory is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Level {
    /// It is not about a vulnerability: a package that no one maintains, for example.
    Informational,
    /// CVSS 0.1 to 3.9.
    Low,
    /// CVSS 4.0 to 6.9.
    Medium,
    /// CVSS 7.0 to 8.9.
    High,
    /// CVSS 9.0 to 10.0.
    Critical,
    /// The advisory does not say.
    Unknown,
}

/// Text that names no level.
#[derive(Debug, thiserror::Error)]
#[error("unknown level `{0}`, expected one of critical, high, medium, low, unknown, informational")]
pub struct InvalidLevel(String);

impl Level {
    /// All levels.
    pub const ALL: [Self; 6] = [
        Self::Critical,
        Self::High,
        Self::Medium,
        Self::Low,
        Self::Unknown,
        Self::Informational,
    ];

    /// The name in policies and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Unknown => "unknown",
            Self::Informational => "informational",
        }
    }

    /// The level of a vector of CVSS 2, 3 or 4; `None` if it is none.
    pub(crate) fn of_vector(text: &str) -> Option<Self> {
        let vector: Cvss = text.parse().ok()?;
        Some(match vector.severity() {
            Severity::None => Self::Informational,
            Severity::Low => Self::Low,
            Severity::Medium => Self::Medium,
            Severity::High => Self::High,
            Severity::Critical => Self::Critical,
        })
    }

    /// The level that a database names: GitHub's severities, and Debian's urgencies.
    pub(crate) fn of_word(text: &str) -> Option<Self> {
        Some(
            match text.trim_end_matches('*').to_ascii_lowercase().as_str() {
                "critical" => Self::Critical,
                "high" | "important" => Self::High,
                "medium" | "moderate" => Self::Medium,
                "low" => Self::Low,
                "unimportant" => Self::Informational,
                _ => return None,
            },
        )
    }
}

impl fmt::Display for Level {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = InvalidLevel;

    fn from_str(text: &str) -> Result<Self, InvalidLevel> {
        let found = Self::ALL.into_iter().find(|level| level.name() == text);
        found.ok_or_else(|| InvalidLevel(text.chars().take(80).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_those_of_the_vectors() {
        for (vector, level) in [
            (
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                Level::Critical,
            ),
            (
                "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H",
                Level::Medium,
            ),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", Level::High),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                Level::Critical,
            ),
            (
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N",
                Level::Informational,
            ),
            ("AV:N/AC:L/Au:N/C:P/I:P/A:P", Level::High),
        ] {
            assert_eq!(Level::of_vector(vector), Some(level), "{vector}");
        }
        assert_eq!(Level::of_vector("CVSS:3.1/AV:X"), None);
    }

    #[test]
    fn names_are_read_back() {
        for level in Level::ALL {
            assert_eq!(level.name().parse::<Level>().unwrap(), level);
        }
        assert!("High".parse::<Level>().is_err());
    }
}
