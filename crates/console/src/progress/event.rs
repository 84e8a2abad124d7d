//! What happens, for all displays.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::amount::Amount;

/// What happens to a step, or beside the steps. Its JSON is what `rawjson` shows.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Event {
    /// A step begins.
    Begun {
        /// Its number.
        step: u32,
        /// What it does.
        name: String,
    },
    /// More of it is done.
    Progressed {
        /// Its number.
        step: u32,
        /// How much is done.
        amount: Amount,
    },
    /// Its program has printed a line.
    Said {
        /// The number of the step.
        step: u32,
        /// The line.
        line: String,
    },
    /// It ends.
    Ended {
        /// Its number.
        step: u32,
        /// How it ends.
        outcome: Outcome,
        /// How long it took, in milliseconds.
        milliseconds: u64,
    },
    /// Something that is not part of a step.
    Note(String),
}

/// How a step ends.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Outcome {
    /// It has done its work.
    Done,
    /// It could not do it.
    Failed,
    /// It was interrupted.
    Canceled,
}

impl Outcome {
    /// The word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}

/// Milliseconds as seconds.
pub(super) fn seconds(milliseconds: u64) -> String {
    format!("{:.1}s", Duration::from_millis(milliseconds).as_secs_f64())
}
