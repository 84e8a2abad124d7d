//! Rotates a grant: a new image in, then the old ones out. Never the other way round, and never before the new one is in.

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use google::kms::Key;
use grant::Grant;

use super::apply::{Change, Edit, Fate, Keys, Retirement};
use super::plan::Plan;
use crate::binding::Binding;
use crate::error::Error;
use crate::verdict::Countersigned;

/// How long old images keep the role.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Window(TimeDelta);

/// The longest window.
const LONGEST: TimeDelta = TimeDelta::days(90);

/// A text that is not a window.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a number and s, m, h or d, such as 24h, and at most 90d, found `{}`", .0.escape_debug())]
pub struct InvalidWindow(String);

impl FromStr for Window {
    type Err = InvalidWindow;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
            let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
            let number: i64 = number.parse().ok().filter(|_| is_number)?;
            let seconds = match unit {
                "s" => 1,
                "m" => 60,
                "h" => 3600,
                "d" => 86400,
                _ => return None,
            };
            let length = TimeDelta::try_seconds(number.checked_mul(seconds)?)?;
            (TimeDelta::zero() < length && length <= LONGEST).then_some(Self(length))
        };
        parse().ok_or_else(|| InvalidWindow(text.to_owned()))
    }
}

/// The two edits of a rotation.
#[derive(Clone, Debug)]
pub struct Rotation {
    key: Key,
    binding: Binding,
    fate: Fate,
    edits: [Edit; 2],
}

/// What a rotation changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rotated {
    /// The new image.
    pub added: Change,
    /// The old ones.
    pub retired: Change,
}

impl Rotation {
    /// The rotation to an image that was approved and countersigned. Without a window, old images lose the role as soon as the
    /// new one has it.
    pub fn new(
        countersigned: &Countersigned,
        grant: &Grant,
        window: Option<Window>,
        now: DateTime<Utc>,
    ) -> Self {
        let binding = Binding::new(countersigned, grant);
        let fate = match window {
            Some(Window(length)) => Fate::Until(now + length),
            None => Fate::Now,
        };
        let retirement = Retirement {
            role: grant.role().to_string(),
            pool: grant.pool().clone(),
            stays: countersigned.approval().image().digest,
            fate,
            now,
        };
        Self {
            key: grant.key().clone(),
            edits: [binding.to_edit(), Edit::Retire(retirement)],
            binding,
            fate,
        }
    }

    /// The binding of the new image.
    pub fn binding(&self) -> &Binding {
        &self.binding
    }

    /// What becomes of the old images.
    pub fn fate(&self) -> Fate {
        self.fate
    }

    /// What would change.
    ///
    /// # Errors
    /// The policy cannot be read.
    pub async fn plan(&self, keys: &Keys) -> Result<Plan, Error> {
        Ok(keys.plan(&self.key, &self.edits).await?)
    }

    /// Binds the new image; when that is written, retires the others.
    ///
    /// # Errors
    /// The policy cannot be read or written. If that happens between the two writes, both the new image and the old ones have
    /// the role, and a repetition completes it.
    pub async fn apply(&self, keys: &Keys) -> Result<Rotated, Error> {
        let [add, retire] = &self.edits;
        let added = keys.apply(&self.key, add).await;
        let added = added.map_err(|error| error.during("binding the new image"))?;
        let retired = keys.apply(&self.key, retire).await;
        let retired = retired.map_err(|error| {
            error.during("retiring old images, which still have the role beside the new one")
        })?;
        Ok(Rotated { added, retired })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_numbers_with_a_unit() {
        for (text, seconds) in [("1s", 1), ("30m", 1800), ("24h", 86400), ("90d", 7_776_000)] {
            assert_eq!(
                text.parse(),
                Ok(Window(TimeDelta::seconds(seconds))),
                "{text}"
            );
        }
        for text in [
            "",
            "h",
            "24",
            "0h",
            "-1h",
            "+1h",
            "1.5h",
            "91d",
            "9999999999999999d",
            "24 h",
            "1é",
        ] {
            assert!(text.parse::<Window>().is_err(), "{text}");
        }
    }
}
