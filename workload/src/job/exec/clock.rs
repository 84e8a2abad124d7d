//! A clock whose pauses end when this process is asked to end.

use std::time::Duration;

use tee::deadline::Deadline;
use tee::{Clock, Stopped};

use super::signals::Signals;

/// The longest time until the end of a pause after SIGTERM.
const STEP: Duration = Duration::from_secs(1);

/// Another clock, which sleeps until SIGTERM at most.
pub struct Interruptible<'a> {
    pub(super) clock: &'a dyn Clock,
    pub(super) signals: Signals,
}

impl Clock for Interruptible<'_> {
    fn now(&self) -> u64 {
        self.clock.now()
    }

    fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    fn sleep(&self, pause: Duration) -> Result<(), Stopped> {
        let end = Deadline::after(self.clock, pause);
        loop {
            // If that cannot be known, the hand-over says why: it asks again.
            if self.signals.is_over().unwrap_or(false) {
                return Err(Stopped);
            }
            if end.is_over() {
                return Ok(());
            }
            self.clock.sleep(STEP.min(end.left()))?;
        }
    }
}
