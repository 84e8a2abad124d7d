//! Mounts (mount(2)).

use std::ffi::CString;
use std::io;
use std::path::Path;

use rustix::fs::{StatVfsMountFlags, statvfs};
use rustix::io::Result;
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind_recursive, mount_change,
    mount_remount, unmount,
};
use rustix::process::{chdir, pivot_root};

/// The devices that every program may expect; none of them leads out.
pub const DEVICES: [&str; 5] = ["full", "null", "random", "urandom", "zero"];
/// Names in `/dev` for a process's own files, and where they lead.
pub const LINKS: [(&str, &str); 4] = [
    ("fd", "/proc/self/fd"),
    ("stderr", "/proc/self/fd/2"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
];

/// Lets no mount of this process's namespace be seen outside it, nor the other way round.
///
/// # Errors
/// The kernel refuses.
pub fn make_private() -> Result<()> {
    let private = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
    mount_change("/", private)
}

/// Mounts an empty file system in memory, with options of tmpfs(5).
///
/// # Errors
/// The kernel refuses.
pub fn memory(target: &Path, flags: MountFlags, options: &str) -> io::Result<()> {
    let options = CString::new(options)?;
    let flags = flags | MountFlags::NOSUID;
    Ok(mount("tmpfs", target, "tmpfs", flags, options.as_c_str())?)
}

/// Mounts the folder `source` at the folder `target`, read-only and without devices.
///
/// # Errors
/// The kernel refuses.
pub fn bind_read_only(source: &Path, target: &Path) -> io::Result<()> {
    mount_bind_recursive(source, target)?;
    let flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    Ok(mount_remount(target, flags | locked(target)?, c"")?)
}

/// In a user namespace a mount must keep what its origin was denied.
fn locked(target: &Path) -> io::Result<MountFlags> {
    let found = statvfs(target)?.f_flag;
    match found.contains(StatVfsMountFlags::NOEXEC) {
        true => Ok(MountFlags::NOEXEC),
        false => Ok(MountFlags::empty()),
    }
}

/// Makes the mount of a device node read-only: the node is the machine's own. Its owner can then read and
/// write the device, but change neither mode, owner, times nor attributes of the node.
///
/// # Errors
/// The kernel refuses.
pub fn protect_device(target: &Path) -> Result<()> {
    let flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NOEXEC;
    mount_remount(target, flags, c"")
}

/// Makes `root`, a mount, the root of this process, and leaves the old one behind. It is mounted over the new
/// one and taken off again: no folder is needed for it.
///
/// # Errors
/// The kernel refuses.
pub fn change_root(root: &Path) -> Result<()> {
    chdir(root)?;
    pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    chdir("/")
}
