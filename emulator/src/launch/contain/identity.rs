//! Namespaces and users of the container's process.

use std::os::fd::{AsFd as _, BorrowedFd};

use isolate::namespaces::Namespaces;
use isolate::step::{At as _, Refusal, Step};
use isolate::users::{self, Id};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::thread::{
    CapabilitySet, Gid, Uid, capabilities, set_thread_gid, set_thread_groups, set_thread_uid,
};

use super::super::user::User;
use super::mapper::Mapper;

/// Enters new namespaces for mounts, processes, queues and host name. The network stays that of the machine, as in
/// Confidential Space. Without privileges, a user namespace is created first.
pub fn enter_namespaces() -> Result<(), Refusal> {
    let namespaces = Namespaces::CLONE_NEWNS
        | Namespaces::CLONE_NEWPID
        | Namespaces::CLONE_NEWIPC
        | Namespaces::CLONE_NEWUTS;
    if is_privileged()? {
        return isolate::namespaces::enter(namespaces).at(Step::Namespaces);
    }
    let outside = Id::effective();
    isolate::namespaces::enter(namespaces | Namespaces::CLONE_NEWUSER).at(Step::Namespaces)?;
    let root = Id { uid: 0, gid: 0 };
    users::open_proc()
        .and_then(|proc| users::map(proc.as_fd(), root, outside))
        .at(Step::Identity)
}

fn is_privileged() -> Result<bool, Refusal> {
    let needed = CapabilitySet::SYS_ADMIN | CapabilitySet::SETUID | CapabilitySet::SETGID;
    let own = capabilities(None).at(Step::Capabilities)?;
    Ok(own.effective.contains(needed))
}

/// A process that maps the users of a container that runs as root; `None` without privileges.
pub fn mapper() -> Result<Option<Mapper>, Refusal> {
    is_privileged()?.then(Mapper::start).transpose()
}

/// Becomes `user` in a new user namespace, so that it has no capability over the mounts and cannot gain one. `proc` is a
/// writable process file system.
pub fn become_user(
    user: User,
    proc: BorrowedFd<'_>,
    mapper: Option<Mapper>,
) -> Result<(), Refusal> {
    // With privileges, the process becomes the user. Otherwise the only available user is that of the launcher, who
    // gets the number of `user` in the namespace.
    if is_privileged()? && can_map(user)? {
        set_thread_groups(&[]).at(Step::Identity)?;
        set_thread_gid(Gid::from_raw(user.gid)).at(Step::Identity)?;
        set_thread_uid(Uid::from_raw(user.uid)).at(Step::Identity)?;
        // Its files in `proc` would belong to root otherwise.
        set_dumpable_behavior(DumpableBehavior::Dumpable).at(Step::Identity)?;
    }
    let outside = Id::effective();
    isolate::namespaces::enter(Namespaces::CLONE_NEWUSER).at(Step::Namespaces)?;
    match mapper {
        // Root can become any other user in its container.
        Some(mapper) if user.uid == 0 => {
            mapper.map()?;
            forbid_user_namespaces(proc)?;
            isolate::privileges::keep_only(of_root()).at(Step::Capabilities)
        }
        _ => {
            let inside = Id {
                uid: user.uid,
                gid: user.gid,
            };
            users::map(proc, inside, outside).at(Step::Identity)?;
            forbid_user_namespaces(proc)?;
            isolate::privileges::give_up().at(Step::Capabilities)
        }
    }
}

/// The capabilities of root in a container of Confidential Space (containerd, `oci.WithDefaultUnixCaps`). They are those of the
/// user namespace, and so have no effect on the machine: no device can be made, and no packet forged.
fn of_root() -> CapabilitySet {
    CapabilitySet::CHOWN
        | CapabilitySet::DAC_OVERRIDE
        | CapabilitySet::FSETID
        | CapabilitySet::FOWNER
        | CapabilitySet::MKNOD
        | CapabilitySet::NET_RAW
        | CapabilitySet::SETGID
        | CapabilitySet::SETUID
        | CapabilitySet::SETFCAP
        | CapabilitySet::SETPCAP
        | CapabilitySet::NET_BIND_SERVICE
        | CapabilitySet::SYS_CHROOT
        | CapabilitySet::KILL
        | CapabilitySet::AUDIT_WRITE
}

/// Forbids further user namespaces: in one, the workload would have all capabilities again, and so access to more of the
/// kernel. The limit applies to the namespace of the process and to those below it.
fn forbid_user_namespaces(proc: BorrowedFd<'_>) -> Result<(), Refusal> {
    users::write(proc, "sys/user/max_user_namespaces", "0").at(Step::Namespaces)
}

/// In a user namespace that the launcher made there is only root, who has no groups to leave.
fn can_map(user: User) -> Result<bool, Refusal> {
    if read("/proc/self/setgroups")?.trim() != "allow" {
        return Ok(false);
    }
    Ok(is_mapped("/proc/self/uid_map", user.uid)? && is_mapped("/proc/self/gid_map", user.gid)?)
}

fn is_mapped(file: &'static str, id: u32) -> Result<bool, Refusal> {
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

fn read(file: &'static str) -> Result<String, Refusal> {
    std::fs::read_to_string(file).at_path(Step::Identity, file)
}
