//! Clocks. The crate reads none but the one that it is given.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A clock.
pub trait Clock {
    /// The time, in Unix seconds.
    fn now(&self) -> u64;

    /// The time since a fixed start, which never runs backwards.
    fn elapsed(&self) -> Duration;

    /// Waits.
    ///
    /// # Errors
    /// The program was told to stop, so that nothing is waited for any more.
    fn sleep(&self, pause: Duration) -> Result<(), Stopped>;
}

/// The program was told to stop while it waited.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("waiting: the program was told to stop")]
pub struct Stopped;

/// The clock of the machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock(Instant);

impl SystemClock {
    /// The clock, started now.
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    /// 0 if the clock is before 1970, when no token is valid.
    fn now(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, pause: Duration) -> Result<(), Stopped> {
        std::thread::sleep(pause);
        Ok(())
    }
}
