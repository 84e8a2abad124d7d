//! Namespaces (namespaces(7)).

use nix::sched::CloneFlags;
pub use nix::sched::CloneFlags as Namespaces;
use rustix::io::{Errno, Result};

/// Moves this process into new namespaces; of a process namespace, only the next child is in it.
///
/// # Errors
/// The system does not allow it. `ENOSPC` means that this user may have no more namespaces (unshare(2)).
pub fn enter(namespaces: CloneFlags) -> Result<()> {
    nix::sched::unshare(namespaces).map_err(|error| Errno::from_raw_os_error(error as i32))
}
