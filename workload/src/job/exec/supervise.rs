//! Supervises the program, as the first process of a container must: it passes signals on, waits for every process that lost its
//! parent, and ends with the status of the program.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command};

use nix::errno::Errno;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::error::ExecError;
use super::files::Folder;
use super::signals::Signals;

/// The first exit status that stands for a signal.
const SIGNALLED: i32 = 128;
/// The exit status of a run that SIGTERM ended before its program was started: 128 and the number of the signal.
pub const TERMINATED: u8 = 143;

/// The running program.
pub struct Running {
    child: Child,
    signals: Signals,
    /// The files of the program's secrets, removed at the end.
    _folder: Option<Folder>,
}

impl Running {
    /// Starts the program.
    pub(super) fn start(
        mut command: Command,
        folder: Option<Folder>,
        signals: Signals,
    ) -> io::Result<Self> {
        // Without effect in process 1, to which the kernel gives every process without a parent.
        set_child_subreaper(true)?;
        let child = command.spawn()?;
        Ok(Self {
            child,
            signals,
            _folder: folder,
        })
    }

    /// Waits until the program ends. Returns its exit status, or 128 and the number of the signal that ended it.
    ///
    /// # Errors
    /// The program cannot be waited for.
    pub fn wait(mut self) -> Result<u8, ExecError> {
        loop {
            let ended = match self.signals.wait() {
                Ok(Signal::SIGCHLD) => self.reap(),
                Ok(signal) => self.pass_on(signal).map(|()| None),
                Err(Errno::EINTR) => Ok(None),
                Err(error) => Err(error.into()),
            };
            if let Some(status) = ended.map_err(ExecError::Wait)? {
                return Ok(status);
            }
        }
    }

    fn pass_on(&self, signal: Signal) -> io::Result<()> {
        match kill(self.pid(), signal) {
            // It has ended, and SIGCHLD is next.
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for all processes that have ended: one signal may stand for several. Returns the status of the program if it is among
    /// them.
    fn reap(&mut self) -> io::Result<Option<u8>> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(exit_status(status.code(), status.signal())));
            }
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => return Ok(None),
                // It ended just now.
                Ok(WaitStatus::Exited(pid, code)) if pid == self.pid() => {
                    return Ok(Some(exit_status(Some(code), None)));
                }
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == self.pid() => {
                    return Ok(Some(exit_status(None, Some(signal as i32))));
                }
                // Another one; EINVAL if it ended by a signal that has no name.
                Ok(_) | Err(Errno::EINTR | Errno::EINVAL) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn pid(&self) -> Pid {
        // Process IDs are far below the largest number.
        Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(i32::MAX))
    }
}

/// The status that this process ends with.
fn exit_status(code: Option<i32>, signal: Option<i32>) -> u8 {
    let signalled = signal.map(|signal| SIGNALLED + signal);
    let status = code
        .or(signalled)
        .and_then(|status| u8::try_from(status).ok());
    status.unwrap_or(u8::MAX)
}
