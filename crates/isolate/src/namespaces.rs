//! Namespaces (namespaces(7)).

use nix::sched::CloneFlags;
pub use nix::sched::CloneFlags as Namespaces;
use rustix::io::{Errno, Result};

/// Moves this process into new namespaces. A new PID namespace applies to the next child only.
///
/// # Errors
/// The error of unshare(2). `ENOSPC` means that the user's limit of namespaces is reached.
pub fn enter(namespaces: CloneFlags) -> Result<()> {
    nix::sched::unshare(namespaces).map_err(|error| Errno::from_raw_os_error(error as i32))
}
