//! The processes that run now, and whether they have been asked to stop.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use console::process::{self, Signal};

use crate::Error;

/// The processes of one ceremony.
#[derive(Clone, Default)]
pub struct Running(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    ids: Vec<u32>,
    signal: Option<u8>,
}

impl Running {
    /// Starts a process, unless the ceremony has been interrupted.
    ///
    /// # Errors
    /// [`Error::Interrupted`], or those of `start`.
    pub fn start<T>(&self, start: impl FnOnce() -> Result<(T, u32), Error>) -> Result<T, Error> {
        let mut state = self.state();
        check(&state)?;
        let (started, id) = start()?;
        state.ids.push(id);
        Ok(started)
    }

    /// Forgets a process that has ended.
    pub fn ended(&self, id: u32) {
        self.state().ids.retain(|other| *other != id);
    }

    /// Asks all processes to end, because `signal` was received.
    pub fn interrupt(&self, signal: u8) {
        let mut state = self.state();
        state.signal = Some(signal);
        for id in &state.ids {
            process::signal_group(*id, Signal::TERM);
        }
    }

    /// Checks that the ceremony has not been interrupted.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn check(&self) -> Result<(), Error> {
        check(&self.state())
    }

    /// The lock is taken even after another thread panicked with it: no panic leaves the state half changed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check(state: &State) -> Result<(), Error> {
    match state.signal {
        Some(signal) => Err(Error::Interrupted(signal)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_begins_after_an_interrupt() {
        let running = Running::default();
        running.start(|| Ok(((), u32::MAX))).unwrap();
        running.interrupt(15);
        let begun = running.start(|| -> Result<((), u32), Error> { panic!("it started") });
        assert!(matches!(begun, Err(Error::Interrupted(15))));
        assert!(matches!(running.check(), Err(Error::Interrupted(15))));
    }
}
