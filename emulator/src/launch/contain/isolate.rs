use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, getegid, geteuid, getrlimit, set_dumpable_behavior,
    set_parent_process_death_signal, setrlimit, setsid,
};
use rustix::thread::{
    CapabilitySet, CapabilitySets, Gid, Uid, UnshareFlags, capabilities,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs, set_thread_gid,
    set_thread_groups, set_thread_uid,
};

use super::super::user::User;
use super::{ContainError, failed};

/// Open files that the launcher allows a container (google/go-tpm-tools, `launcher`).
const OPEN_FILES: u64 = 131_072;
/// What this process has open.
const OPEN: &str = "/proc/self/fd";

/// Has the kernel kill this process when its parent dies.
pub fn die_with_parent() -> Result<(), ContainError> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(failed("binding life to parent"))
}

/// A launcher that died before [`die_with_parent`] has closed its end of the socket.
pub fn check_launcher(socket: BorrowedFd<'_>) -> Result<(), ContainError> {
    let mut polled = [PollFd::new(&socket, PollFlags::empty())];
    let now = rustix::event::Timespec::default();
    poll(&mut polled, Some(&now)).map_err(failed("asking for launcher"))?;
    match polled[0].revents().contains(PollFlags::HUP) {
        true => Err(ContainError::Orphan),
        false => Ok(()),
    }
}

/// Leaves the operator's terminal: who is in its session may type into it.
pub fn leave_terminal() -> Result<(), ContainError> {
    setsid().map(drop).map_err(failed("leaving terminal"))
}

/// Keeps what the launcher was started with, but for standard input, output and error, from all
/// programs that this process starts.
pub fn withhold_descriptors() -> Result<(), ContainError> {
    let listing = "listing open files";
    let open = std::fs::read_dir(OPEN).map_err(in_folder(listing))?;
    for entry in open {
        let name = entry.map_err(in_folder(listing))?.file_name();
        match name.to_str().and_then(|name| name.parse().ok()) {
            Some(0..=2) | None => {}
            Some(number) => close_on_exec(number).map_err(failed("marking open files"))?,
        }
    }
    Ok(())
}

fn in_folder(step: &'static str) -> impl FnOnce(std::io::Error) -> ContainError {
    let path = OPEN.into();
    move |source| ContainError::File { step, path, source }
}

#[allow(
    unsafe_code,
    reason = "no crate marks a descriptor that it does not own"
)]
fn close_on_exec(number: i32) -> rustix::io::Result<()> {
    // SAFETY: the number is of a descriptor that is open until it has been marked: it has just been
    // listed, and the one thread that there is closes none meanwhile.
    let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
    fcntl_setfd(descriptor, FdFlags::CLOEXEC)
}

/// Leaves the launcher's mounts, processes, queues and host name behind. The network stays: a container of
/// Confidential Space has its machine's. Without privileges a user namespace has to come first.
pub fn enter_namespaces() -> Result<(), ContainError> {
    let flags =
        UnshareFlags::NEWNS | UnshareFlags::NEWPID | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS;
    if is_privileged()? {
        return unshare(flags);
    }
    let (uid, gid) = (geteuid(), getegid());
    unshare(flags | UnshareFlags::NEWUSER)?;
    let root = User { uid: 0, gid: 0 };
    map_user(root, (uid, gid), open_proc()?.as_fd())
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

fn open_proc() -> Result<OwnedFd, ContainError> {
    let proc = rustix::fs::open("/proc", OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
    proc.map_err(failed("opening /proc"))
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
    let outside = (geteuid(), getegid());
    unshare(UnshareFlags::NEWUSER)?;
    map_user(user, outside, proc)?;
    forbid_user_namespaces(proc)?;
    drop_capabilities()
}

/// In a user namespace of its own the workload would have every capability again, and by them more of
/// the kernel. This limit is of the namespace that the process is in, and of those in it.
fn forbid_user_namespaces(proc: BorrowedFd<'_>) -> Result<(), ContainError> {
    write_to(proc, "sys/user/max_user_namespaces", "0").map_err(failed("forbidding namespaces"))
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

/// Calls the one user and group that there are outside `inside` in the new user namespace.
fn map_user(
    inside: User,
    (uid, gid): (Uid, Gid),
    proc: BorrowedFd<'_>,
) -> Result<(), ContainError> {
    let write = |file, text: &str| write_to(proc, file, text).map_err(failed("writing user map"));
    write("self/setgroups", "deny")?;
    write(
        "self/uid_map",
        &format!("{} {} 1", inside.uid, uid.as_raw()),
    )?;
    write(
        "self/gid_map",
        &format!("{} {} 1", inside.gid, gid.as_raw()),
    )
}

/// The kernel takes such a file in one piece.
fn write_to(proc: BorrowedFd<'_>, file: &str, text: &str) -> rustix::io::Result<()> {
    let file = openat(proc, file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(file, text.as_bytes()).map(drop)
}

fn drop_capabilities() -> Result<(), ContainError> {
    let all = CapabilitySet::all().iter();
    for capability in all {
        match remove_capability_from_bounding_set(capability) {
            // The kernel is older than the capability.
            Ok(()) | Err(Errno::INVAL) => {}
            Err(source) => return Err(failed("dropping capability")(source)),
        }
    }
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, none).map_err(failed("dropping capabilities"))?;
    set_no_new_privs(true).map_err(failed("forbidding new privileges"))
}

/// Allows as many open files as the launcher does, or as many as this machine lets it.
pub fn raise_open_files() -> Result<(), ContainError> {
    let now = getrlimit(Resource::Nofile);
    let limit = Some(OPEN_FILES.min(now.maximum.unwrap_or(OPEN_FILES)));
    let wanted = Rlimit {
        current: limit,
        maximum: limit,
    };
    setrlimit(Resource::Nofile, wanted).map_err(failed("limiting open files"))
}

#[allow(unsafe_code, reason = "no crate offers namespaces by a safe call")]
fn unshare(flags: UnshareFlags) -> Result<(), ContainError> {
    // SAFETY: the call is unsafe because with CLONE_FILES a thread could be left with descriptors
    // that are not open in its table. No caller passes that flag, and there is one thread only.
    let done = unsafe { rustix::thread::unshare_unsafe(flags) };
    done.map_err(|error| match error {
        Errno::NOSPC => ContainError::Namespaces,
        other => failed("making namespaces")(other),
    })
}
