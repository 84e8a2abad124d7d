//! Deadlines by a monotonic clock.

use std::time::Duration;

/// Returns the time since a fixed start, by a monotonic clock.
pub type Elapsed<'a> = &'a dyn Fn() -> Duration;

/// A point in time by a monotonic clock.
#[derive(Clone, Copy)]
pub struct Deadline<'a> {
    elapsed: Elapsed<'a>,
    at: Duration,
}

impl<'a> Deadline<'a> {
    /// The deadline `wait` from now.
    pub fn after(elapsed: Elapsed<'a>, wait: Duration) -> Self {
        let at = elapsed().saturating_add(wait);
        Self { elapsed, at }
    }

    /// The earlier of this deadline and `wait` from now.
    pub fn at_most(self, wait: Duration) -> Self {
        let at = self.at.min(Self::after(self.elapsed, wait).at);
        Self { at, ..self }
    }

    /// The time until the deadline; zero if it has passed.
    pub fn left(&self) -> Duration {
        self.at.saturating_sub((self.elapsed)())
    }

    /// Whether the deadline has passed.
    pub fn is_over(&self) -> bool {
        self.left().is_zero()
    }
}
