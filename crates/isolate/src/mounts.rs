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

/// The devices in `/dev` that every program may expect. None of them gives access to the machine.
pub const DEVICES: [&str; 5] = ["full", "null", "random", "urandom", "zero"];
/// Symbolic links in `/dev` to a process's own files: name and target.
pub const LINKS: [(&str, &str); 4] = [
    ("fd", "/proc/self/fd"),
    ("stderr", "/proc/self/fd/2"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
];

/// Stops the propagation of mounts between this process's mount namespace and others.
///
/// # Errors
/// The error of mount(2).
pub fn make_private() -> Result<()> {
    let private = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
    mount_change("/", private)
}

/// Mounts an empty tmpfs at `target`, with options of tmpfs(5).
///
/// # Errors
/// `options` contains NUL, or the error of mount(2).
pub fn memory(target: &Path, flags: MountFlags, options: &str) -> io::Result<()> {
    let options = CString::new(options)?;
    let flags = flags | MountFlags::NOSUID;
    Ok(mount("tmpfs", target, "tmpfs", flags, options.as_c_str())?)
}

/// Mounts the folder `source` at the folder `target`, read-only, without set-user-ID programs and devices.
///
/// # Errors
/// The error of mount(2) or statvfs(3).
pub fn bind_read_only(source: &Path, target: &Path) -> io::Result<()> {
    mount_bind_recursive(source, target)?;
    let flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    Ok(mount_remount(target, flags | locked(target)?, c"")?)
}

/// The flags that a remount in a user namespace must keep (mount_namespaces(7)).
fn locked(target: &Path) -> io::Result<MountFlags> {
    let found = statvfs(target)?.f_flag;
    match found.contains(StatVfsMountFlags::NOEXEC) {
        true => Ok(MountFlags::NOEXEC),
        false => Ok(MountFlags::empty()),
    }
}

/// Remounts the bind mount of a device node read-only. The device can still be read and written, but mode,
/// owner, times and attributes of the node, which belongs to the machine, cannot be changed.
///
/// # Errors
/// The error of mount(2).
pub fn protect_device(target: &Path) -> Result<()> {
    let flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NOEXEC;
    mount_remount(target, flags, c"")
}

/// Makes the mount `root` the root of this process and unmounts the old root. The old root is stacked on the
/// new one for a moment, so no folder is needed for it (pivot_root(2), `pivot_root(".", ".")`).
///
/// # Errors
/// The error of chdir(2), pivot_root(2) or umount(2).
pub fn change_root(root: &Path) -> Result<()> {
    chdir(root)?;
    pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    chdir("/")
}
