//! Deadlines by a monotonic clock.

use std::time::Duration;

use crate::clock::Clock;

/// A point in time by a monotonic clock.
#[derive(Clone, Copy)]
pub struct Deadline<'a> {
    clock: &'a dyn Clock,
    at: Duration,
}

impl<'a> Deadline<'a> {
    /// The deadline `wait` from now.
    pub fn after(clock: &'a dyn Clock, wait: Duration) -> Self {
        let at = clock.elapsed().saturating_add(wait);
        Self { clock, at }
    }

    /// The earlier of this deadline and `wait` from now.
    pub fn at_most(self, wait: Duration) -> Self {
        let at = self.at.min(Self::after(self.clock, wait).at);
        Self { at, ..self }
    }

    /// The time until the deadline; zero if it has passed.
    pub fn left(&self) -> Duration {
        self.at.saturating_sub(self.clock.elapsed())
    }

    /// Whether the deadline has passed.
    pub fn is_over(&self) -> bool {
        self.left().is_zero()
    }
}
