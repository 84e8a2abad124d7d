//! Users of a user namespace (user_namespaces(7)).

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Result;

/// A user and a group, by number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Id {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

impl Id {
    /// As whom this process acts.
    pub fn effective() -> Self {
        Self {
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
        }
    }
}

/// Opens the machine's process file system for [`map`] and [`write`].
///
/// # Errors
/// It is not there.
pub fn open_proc() -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    rustix::fs::open("/proc", flags, Mode::empty())
}

/// Maps `inside`, the only user and group of this process's new user namespace, to `outside`. `proc` is a
/// process file system that can be written to.
///
/// # Errors
/// The kernel refuses.
pub fn map(proc: BorrowedFd<'_>, inside: Id, outside: Id) -> Result<()> {
    write(proc, "self/setgroups", "deny")?;
    let uids = format!("{} {} 1", inside.uid, outside.uid);
    write(proc, "self/uid_map", &uids)?;
    let gids = format!("{} {} 1", inside.gid, outside.gid);
    write(proc, "self/gid_map", &gids)
}

/// Writes a file of a process file system, which the kernel takes in one piece.
///
/// # Errors
/// The kernel refuses.
pub fn write(proc: BorrowedFd<'_>, file: &str, text: &str) -> Result<()> {
    let file = openat(proc, file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(file, text.as_bytes()).map(drop)
}
