//! How much of a step is done.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much of a step is done.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Amount {
    /// How many items are done.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) items: u64,
    /// How many there are, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) all_items: Option<u64>,
    /// What one of them is called, if it is not known how many there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unit: Option<String>,
    /// How many bytes were received, sent or written.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) bytes: u64,
    /// How many there are, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) all_bytes: Option<u64>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Amount {
    /// Whether there is nothing to show.
    pub(super) fn is_nothing(&self) -> bool {
        self.items == 0 && self.bytes == 0
    }
}

/// Each part with a space before it.
impl fmt::Display for Amount {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_nothing() {
            return Ok(());
        }
        match (self.all_items, &self.unit) {
            (Some(all), _) => write!(out, " {}/{all}", self.items)?,
            (None, Some(unit)) if self.items == 1 => write!(out, " 1 {unit}")?,
            (None, Some(unit)) => write!(out, " {} {unit}s", self.items)?,
            (None, None) => {}
        }
        match (self.bytes, self.all_bytes) {
            (0, _) => Ok(()),
            (bytes, None) => write!(out, " {}", Bytes(bytes)),
            // A transfer that is repeated can take more.
            (bytes, Some(all)) => write!(out, " {} / {}", Bytes(bytes.min(all)), Bytes(all)),
        }
    }
}

/// A number of bytes in powers of 1000 (IEC 80000-13), as `18.2 MB`.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut tenths, mut unit) = (self.0.saturating_mul(10), 0);
        const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
        while tenths >= 10_000 && unit + 1 < UNITS.len() {
            tenths /= 1000;
            unit += 1;
        }
        match unit {
            0 => write!(out, "{} B", self.0),
            _ => write!(out, "{}.{} {}", tenths / 10, tenths % 10, UNITS[unit]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_three_digits() {
        for (bytes, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (18_234_567, "18.2 MB"),
            (999_949, "999.9 kB"),
            (7_000_000_000, "7.0 GB"),
            (u64::MAX, "1844674.4 TB"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), expected);
        }
    }

    #[test]
    fn only_what_is_known_is_shown() {
        let amount = Amount {
            items: 12,
            ..Amount::default()
        };
        assert_eq!(amount.to_string(), "");
        let units = Amount {
            unit: Some("crate".to_owned()),
            ..amount.clone()
        };
        assert_eq!(units.to_string(), " 12 crates");
        let one = Amount { items: 1, ..units };
        assert_eq!(one.to_string(), " 1 crate");
        let of = Amount {
            all_items: Some(40),
            bytes: 18_200_000,
            ..amount
        };
        assert_eq!(of.to_string(), " 12/40 18.2 MB");
        let bytes = Amount {
            all_bytes: Some(1000),
            bytes: 2000,
            ..Amount::default()
        };
        assert_eq!(bytes.to_string(), " 1.0 kB / 1.0 kB");
    }
}
