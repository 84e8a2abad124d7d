//! Ends a process with its parent.

use std::os::fd::BorrowedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Result;
use rustix::process::{Signal, set_parent_process_death_signal};

/// Makes the kernel kill this process when its parent ends (prctl(2), `PR_SET_PDEATHSIG`). This has no effect
/// if the parent has already ended: see [`is_abandoned`].
///
/// # Errors
/// The error of prctl(2).
pub fn end_with_parent() -> Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))
}

/// Whether the other end of `stream` is closed. `stream` is a pipe or a socket that the parent keeps open
/// while it runs.
///
/// # Errors
/// The stream cannot be polled.
pub fn is_abandoned(stream: BorrowedFd<'_>) -> Result<bool> {
    let mut polled = [PollFd::new(&stream, PollFlags::empty())];
    poll(&mut polled, Some(&Timespec::default()))?;
    Ok(polled[0].revents().contains(PollFlags::HUP))
}
