//! Users of a user namespace (user_namespaces(7)).

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Result;

/// A user ID and a group ID.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Id {
    /// The user ID.
    pub uid: u32,
    /// The group ID.
    pub gid: u32,
}

impl Id {
    /// The effective user and group of this process.
    pub fn effective() -> Self {
        Self {
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
        }
    }
}

/// Opens `/proc` for [`map`] and [`write()`].
///
/// # Errors
/// The error of open(2).
pub fn open_proc() -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    rustix::fs::open("/proc", flags, Mode::empty())
}

/// Maps `inside`, the only user and group of this process's new user namespace, to `outside`. `proc` is a
/// writable proc file system.
///
/// # Errors
/// The error of openat(2) or write(2).
pub fn map(proc: BorrowedFd<'_>, inside: Id, outside: Id) -> Result<()> {
    write(proc, "self/setgroups", "deny")?;
    let uids = format!("{} {} 1", inside.uid, outside.uid);
    write(proc, "self/uid_map", &uids)?;
    let gids = format!("{} {} 1", inside.gid, outside.gid);
    write(proc, "self/gid_map", &gids)
}

/// Writes `text` to a file of a proc file system, in a single write as the kernel requires.
///
/// # Errors
/// The error of openat(2) or write(2).
pub fn write(proc: BorrowedFd<'_>, file: &str, text: &str) -> Result<()> {
    let file = openat(proc, file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(file, text.as_bytes()).map(drop)
}
