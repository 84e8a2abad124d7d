//! The signals of the container, held from the start on: none is lost before it can be passed on.

use std::io;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::error::ExecError;

/// Signals that the kernel sends to a thread for what it did; blocking them has no defined effect.
const FAULTS: [Signal; 7] = [
    Signal::SIGABRT,
    Signal::SIGBUS,
    Signal::SIGFPE,
    Signal::SIGILL,
    Signal::SIGSEGV,
    Signal::SIGSYS,
    Signal::SIGTRAP,
];

/// Signals that stay pending until they are waited for.
#[derive(Clone, Copy)]
pub(super) struct Signals(SigSet);

impl Signals {
    /// Holds all signals. This process must have one thread: those that it starts later inherit it, and take none.
    pub(super) fn hold() -> Result<Self, ExecError> {
        let mut held: SigSet = Signal::iterator().collect();
        FAULTS.into_iter().for_each(|fault| held.remove(fault));
        let blocked = held.thread_block();
        blocked.map_err(|error| ExecError::Signals(error.into()))?;
        Ok(Self(held))
    }

    /// Waits for the next one.
    pub(super) fn wait(&self) -> nix::Result<Signal> {
        self.0.wait()
    }

    /// Whether this process was asked to end.
    pub(super) fn is_over(&self) -> Result<bool, ExecError> {
        let read = || -> io::Result<bool> {
            let end = SigSet::from(Signal::SIGTERM);
            let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
            Ok(SignalFd::with_flags(&end, flags)?.read_signal()?.is_some())
        };
        read().map_err(ExecError::Signals)
    }
}
