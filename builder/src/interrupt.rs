//! Ends work early.

use std::os::fd::OwnedFd;
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Somebody's wish that the work should end early, shared by who has it and who works. Work that
/// hears of it returns [`Interrupted`] and so removes its temporary files.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    raised: bool,
    process: Option<OwnedFd>,
}

/// The work ended early because somebody wanted it to.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

impl Interrupt {
    /// Ends the process that is being waited for, and all further work at its next step.
    pub fn raise(&self) {
        let mut state = self.state();
        state.raised = true;
        state.end();
    }

    /// Whether work may go on.
    ///
    /// # Errors
    /// It may not.
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
        // The state is a flag and a handle: no panic can leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn end(&self) {
        if let Some(process) = &self.process {
            // A process that is gone already is what we want.
            let _ = pidfd_send_signal(process, Signal::KILL);
        }
    }
}

/// As long as this lives, an interrupt ends the process.
pub(crate) struct Watch<'a>(&'a Interrupt);

impl Watch<'_> {
    /// Ends the process that is watched, and nothing else.
    pub(crate) fn end(&self) {
        self.0.state().end();
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.0.state().process = None;
    }
}
