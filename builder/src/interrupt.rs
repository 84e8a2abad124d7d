//! Interruption of a build by a signal.

use std::os::fd::OwnedFd;
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A request to interrupt work. The work checks it and returns [`Interrupted`], which removes its temporary files.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    raised: bool,
    process: Option<OwnedFd>,
}

/// The work was interrupted.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

impl Interrupt {
    /// Interrupts the work: ends the process that it waits for, and the work at its next check.
    pub fn raise(&self) {
        let mut state = self.state();
        state.raised = true;
        state.end();
    }

    /// Checks that the work was not interrupted.
    ///
    /// # Errors
    /// It was interrupted.
    pub fn check(&self) -> Result<(), Interrupted> {
        match self.state().raised {
            true => Err(Interrupted),
            false => Ok(()),
        }
    }

    /// Lets [`Interrupt::raise`] end `child`, until the returned watch is dropped.
    pub(crate) fn watch(&self, child: &Child) -> std::io::Result<Watch<'_>> {
        let process = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
        let mut state = self.state();
        state.process = Some(process);
        if state.raised {
            state.end();
        }
        Ok(Watch(self))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic cannot leave the state half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn end(&self) {
        if let Some(process) = &self.process {
            // The process may have ended already.
            let _ = pidfd_send_signal(process, Signal::KILL);
        }
    }
}

/// As long as this lives, an interrupt ends the process.
pub(crate) struct Watch<'a>(&'a Interrupt);

impl Watch<'_> {
    /// Ends the watched process only.
    pub(crate) fn end(&self) {
        self.0.state().end();
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.0.state().process = None;
    }
}
