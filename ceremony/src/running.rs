//! What plays now, and whether it has been asked to stop.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::Error;

/// The processes of one ceremony, for whoever has to end them.
#[derive(Clone, Default)]
pub struct Running(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    ids: Vec<u32>,
    signal: Option<u8>,
}

impl Running {
    /// Starts a process, unless all has been asked to end: then nothing more may begin.
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

    /// The process has ended.
    pub fn ended(&self, id: u32) {
        self.state().ids.retain(|other| *other != id);
    }

    /// Asks all that plays to end, because `signal` came.
    pub fn interrupt(&self, signal: u8) {
        let mut state = self.state();
        state.signal = Some(signal);
        state.ids.iter().copied().for_each(terminate);
    }

    /// Whether the ceremony may go on.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn check(&self) -> Result<(), Error> {
        check(&self.state())
    }

    /// Also when a thread that held it has panicked: no panic leaves it half changed.
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

/// Asks the process to end, and what it has started with it: cargo leaves its compilers behind.
pub fn terminate(id: u32) {
    signal(id, Signal::TERM);
}

/// Sends a signal to the group of a process that was started as the first of one.
pub fn signal(id: u32, signal: Signal) {
    if let Some(group) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, signal);
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
        let begun = running.start(|| -> Result<((), u32), Error> { panic!("it began") });
        assert!(matches!(begun, Err(Error::Interrupted(15))));
        assert!(matches!(running.check(), Err(Error::Interrupted(15))));
    }
}
