//! How long a process lives.

use std::os::fd::BorrowedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Result;
use rustix::process::{Signal, set_parent_process_death_signal};

/// Has the kernel end this process when its parent ends. A parent that has ended before is not noticed: see
/// [`is_abandoned`].
///
/// # Errors
/// The kernel refuses.
pub fn end_with_parent() -> Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))
}

/// Whether the other end of `stream`, a pipe or a socket that the parent keeps open while it lives, is closed.
///
/// # Errors
/// The stream cannot be polled.
pub fn is_abandoned(stream: BorrowedFd<'_>) -> Result<bool> {
    let mut polled = [PollFd::new(&stream, PollFlags::empty())];
    poll(&mut polled, Some(&Timespec::default()))?;
    Ok(polled[0].revents().contains(PollFlags::HUP))
}
