//! Mounts (mount(2)).

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, FileType, StatVfsMountFlags, fstat, statvfs};
use rustix::io::Result;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MountPropagationFlags, MoveMountFlags,
    OpenTreeFlags, UnmountFlags, fsconfig_create, fsconfig_set_string, fsmount, fsopen, mount,
    mount_change, mount_remount, move_mount, open_tree, unmount,
};
use rustix::process::{chdir, pivot_root};

/// The devices in `/dev` that every program may expect. None of them gives access to the machine.
pub const DEVICES: [&str; 5] = ["full", "null", "random", "urandom", "zero"];
/// Where a program finds its processes.
pub const PROC: &str = "/proc";
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

/// Whether a file system can be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// It can.
    Writable,
    /// It cannot.
    ReadOnly,
}

/// What a process file system shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum View {
    /// Everything.
    All,
    /// Processes only, and nothing of the machine's processor, memory or kernel (proc(5), `subset=pid`).
    Processes,
}

/// Creates a process file system of this process's PID namespace, which is not mounted yet. To an unprivileged process,
/// the kernel allows this only while another process file system is visible.
///
/// # Errors
/// The error of fsopen(2), fsconfig(2) or fsmount(2).
pub fn proc(view: View, access: Access) -> Result<OwnedFd> {
    let context = fsopen("proc", FsOpenFlags::FSOPEN_CLOEXEC)?;
    if view == View::Processes {
        fsconfig_set_string(context.as_fd(), "subset", "pid")?;
    }
    fsconfig_create(context.as_fd())?;
    let mut attributes = MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    if access == Access::ReadOnly {
        attributes |= MountAttrFlags::MOUNT_ATTR_RDONLY;
    }
    fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

/// Opens a new mount of the file or folder at `path`, with all mounts below it. It is not mounted at a path yet.
///
/// # Errors
/// The error of open_tree(2).
pub fn open(path: &Path) -> Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE;
    open_tree(CWD, path, flags)
}

/// Mounts `tree`, which is not mounted at a path yet, at `path`. Creates a file or folder there if none exists. A
/// symbolic link is replaced by a file, since a mount does not follow it.
///
/// # Errors
/// The error of move_mount(2), or the file or folder cannot be made.
pub fn attach(tree: &OwnedFd, path: &Path) -> io::Result<()> {
    match FileType::from_raw_mode(fstat(tree)?.st_mode) {
        FileType::Directory => fs::create_dir_all(path)?,
        _ => make_file(path)?,
    }
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    Ok(move_mount(tree.as_fd(), "", CWD, path, flags)?)
}

fn make_file(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    match fs::symlink_metadata(path) {
        // It keeps its content below the mount, and may be in a read-only one.
        Ok(found) if found.is_file() => return Ok(()),
        Ok(found) if found.is_symlink() => fs::remove_file(path)?,
        _ => {}
    }
    fs::File::create_new(path).map(drop)
}

/// The flags that a remount in a user namespace must keep (mount_namespaces(7)).
pub(crate) fn locked(target: &Path) -> io::Result<MountFlags> {
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
