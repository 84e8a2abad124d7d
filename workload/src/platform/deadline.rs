//! A point in time that work has to end at.

use std::time::Duration;

/// The time since some beginning; it never goes back.
pub type Elapsed<'a> = &'a dyn Fn() -> Duration;

/// When something ends, by a clock that never goes back.
#[derive(Clone, Copy)]
pub struct Deadline<'a> {
    elapsed: Elapsed<'a>,
    at: Duration,
}

impl<'a> Deadline<'a> {
    /// The time that is `wait` after now.
    pub fn after(elapsed: Elapsed<'a>, wait: Duration) -> Self {
        let at = elapsed().saturating_add(wait);
        Self { elapsed, at }
    }

    /// This one, or the time that is `wait` after now if that is earlier.
    pub fn at_most(self, wait: Duration) -> Self {
        let at = self.at.min(Self::after(self.elapsed, wait).at);
        Self { at, ..self }
    }

    /// How long it is until then.
    pub fn left(&self) -> Duration {
        self.at.saturating_sub((self.elapsed)())
    }

    /// Whether it has passed.
    pub fn is_over(&self) -> bool {
        self.left().is_zero()
    }
}
