use std::os::fd::{AsFd as _, BorrowedFd};

use isolate::namespaces::Namespaces;
use isolate::users::{self, Id};
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::thread::{
    CapabilitySet, Gid, Uid, capabilities, set_thread_gid, set_thread_groups, set_thread_uid,
};

use super::super::user::User;
use super::{ContainError, failed};

/// Leaves the launcher's mounts, processes, queues and host name behind. The network stays: a container of
/// Confidential Space has its machine's. Without privileges a user namespace has to come first.
pub fn enter_namespaces() -> Result<(), ContainError> {
    let namespaces = Namespaces::CLONE_NEWNS
        | Namespaces::CLONE_NEWPID
        | Namespaces::CLONE_NEWIPC
        | Namespaces::CLONE_NEWUTS;
    if is_privileged()? {
        return enter(namespaces);
    }
    let outside = Id::effective();
    enter(namespaces | Namespaces::CLONE_NEWUSER)?;
    let proc = users::open_proc().map_err(failed("opening /proc"))?;
    map_user(Id { uid: 0, gid: 0 }, outside, proc.as_fd())
}

/// Gives the container the machine's name, as `uname -n` shows it.
pub fn set_host_name(name: &str) -> Result<(), ContainError> {
    rustix::system::sethostname(name.as_bytes()).map_err(failed("setting host name"))
}

fn is_privileged() -> Result<bool, ContainError> {
    let needed = CapabilitySet::SYS_ADMIN | CapabilitySet::SETUID | CapabilitySet::SETGID;
    let own = capabilities(None).map_err(failed("reading capabilities"))?;
    Ok(own.effective.contains(needed))
}

/// Becomes `user`, in a user namespace of its own, so that no capability over the mounts is left,
/// and without any way to gain one. `proc` is a process file system that can be written to.
pub fn become_user(user: User, proc: BorrowedFd<'_>) -> Result<(), ContainError> {
    // Privileged, the process really becomes the user. Otherwise there is just one user to be had,
    // who will be called so.
    if is_privileged()? && capability_to_map(user)? {
        set_thread_groups(&[]).map_err(failed("leaving groups"))?;
        set_thread_gid(Gid::from_raw(user.gid)).map_err(failed("setting group"))?;
        set_thread_uid(Uid::from_raw(user.uid)).map_err(failed("setting user"))?;
        // Its files in `proc` would be root's otherwise.
        set_dumpable_behavior(DumpableBehavior::Dumpable).map_err(failed("setting dumpable"))?;
    }
    let outside = Id::effective();
    enter(Namespaces::CLONE_NEWUSER)?;
    let inside = Id {
        uid: user.uid,
        gid: user.gid,
    };
    map_user(inside, outside, proc)?;
    forbid_user_namespaces(proc)?;
    isolate::privileges::give_up().map_err(failed("giving up capabilities"))
}

/// In a user namespace of its own the workload would have every capability again, and by them more of
/// the kernel. This limit is of the namespace that the process is in, and of those in it.
fn forbid_user_namespaces(proc: BorrowedFd<'_>) -> Result<(), ContainError> {
    users::write(proc, "sys/user/max_user_namespaces", "0").map_err(failed("forbidding namespaces"))
}

/// In a user namespace of our own there is but one user, root, who has no groups to leave.
fn capability_to_map(user: User) -> Result<bool, ContainError> {
    if read("/proc/self/setgroups")?.trim() != "allow" {
        return Ok(false);
    }
    Ok(is_mapped("/proc/self/uid_map", user.uid)? && is_mapped("/proc/self/gid_map", user.gid)?)
}

fn is_mapped(file: &'static str, id: u32) -> Result<bool, ContainError> {
    let map = read(file)?;
    let id = u64::from(id);
    let mut ranges = map.lines().map(|line| {
        let numbers = line.split_whitespace().map(|n| n.parse::<u64>());
        let numbers: Vec<_> = numbers.map(Result::unwrap_or_default).collect();
        match numbers[..] {
            [first, _, count] => first..first + count,
            _ => 0..0,
        }
    });
    Ok(ranges.any(|range| range.contains(&id)))
}

fn read(file: &'static str) -> Result<String, ContainError> {
    std::fs::read_to_string(file).map_err(|source| ContainError::File {
        step: "reading",
        path: file.into(),
        source,
    })
}

fn map_user(inside: Id, outside: Id, proc: BorrowedFd<'_>) -> Result<(), ContainError> {
    users::map(proc, inside, outside).map_err(failed("writing user map"))
}

fn enter(namespaces: Namespaces) -> Result<(), ContainError> {
    isolate::namespaces::enter(namespaces).map_err(|error| match error {
        Errno::NOSPC => ContainError::Namespaces,
        other => failed("making namespaces")(other),
    })
}
