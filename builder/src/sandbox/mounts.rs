use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::fs::{StatVfsMountFlags, statvfs};
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_bind_recursive,
    mount_change, mount_remount, unmount,
};
use rustix::process::{chdir, pivot_root};

use super::limits::Limits;
use super::plan::{At, Plan, Refusal, Step};

/// What a build root has at its top that programs look for.
const TOP: [&str; 7] = ["bin", "lib", "lib32", "lib64", "libx32", "sbin", "usr"];
/// The devices that every program may expect; none of them leads out.
const DEVICES: [&str; 5] = ["full", "null", "random", "urandom", "zero"];
/// Names for a process's own files.
const LINKS: [(&str, &str); 4] = [
    ("fd", "/proc/self/fd"),
    ("stderr", "/proc/self/fd/2"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
];

/// Where the one file system of all writable directories is mounted until they are.
const MEMORY: &str = "memory";

/// Replaces the process's file system by the one that `plan` describes.
pub(super) fn enter(plan: &Plan, limits: Limits) -> Result<(), Refusal> {
    let root = &plan.mount_point;
    let private = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
    mount_change("/", private).at(Step::Root)?;
    mount_memory(root, "mode=0755").at(Step::Root)?;
    mount_inputs(plan, root).at(Step::Inputs)?;
    mount_proc(root).at(Step::Proc)?;
    mount_devices(root).at(Step::Devices)?;
    make_writable(plan, root, limits).at(Step::Writable)?;
    leave_host(root).at(Step::Pivot)
}

fn mount_memory(target: &Path, options: &str) -> io::Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    let options = CString::new(options)?;
    Ok(mount("tmpfs", target, "tmpfs", flags, options.as_c_str())?)
}

fn mount_inputs(plan: &Plan, root: &Path) -> io::Result<()> {
    for name in TOP {
        let source = plan.root.join(name);
        match fs::symlink_metadata(&source) {
            Ok(found) if found.is_symlink() => symlink(fs::read_link(&source)?, root.join(name))?,
            Ok(_) => bind_read_only(&source, &root.join(name))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    for bind in &plan.binds {
        bind_read_only(&bind.source, &below(root, &bind.target))?;
    }
    fs::create_dir_all(root.join("etc"))
}

/// A path of the sandbox as long as its root is mounted below `root`.
fn below(root: &Path, inside: &Path) -> PathBuf {
    root.join(inside.strip_prefix("/").unwrap_or(inside))
}

fn bind_read_only(source: &Path, target: &Path) -> io::Result<()> {
    fs::create_dir_all(target)?;
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

/// Only what belongs to processes: nothing of the machine's processor, memory or kernel is told. Read-only,
/// because one process could otherwise write another's memory there.
fn mount_proc(root: &Path) -> io::Result<()> {
    let target = root.join("proc");
    fs::create_dir(&target)?;
    let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    Ok(mount("proc", &target, "proc", flags, c"subset=pid")?)
}

fn mount_devices(root: &Path) -> io::Result<()> {
    let dev = root.join("dev");
    fs::create_dir(&dev)?;
    for name in DEVICES {
        bind_device(&Path::new("/dev").join(name), &dev.join(name))?;
    }
    for (name, target) in LINKS {
        symlink(target, dev.join(name))?;
    }
    Ok(())
}

/// The node is the host's own. A read-only mount lets its owner read and write the device, but change
/// neither mode, owner, times nor attributes of the node.
fn bind_device(source: &Path, target: &Path) -> io::Result<()> {
    fs::File::create(target)?;
    mount_bind(source, target)?;
    let flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NOEXEC;
    Ok(mount_remount(target, flags, c"")?)
}

/// All writable directories are of one file system, so that one limit holds for them together.
fn make_writable(plan: &Plan, root: &Path, limits: Limits) -> io::Result<()> {
    let memory = root.join(MEMORY);
    fs::create_dir(&memory)?;
    mount_memory(&memory, &limits.mount_options())?;
    for (number, path) in plan.writable.iter().enumerate() {
        let (source, target) = (memory.join(number.to_string()), below(root, path));
        fs::create_dir(&source)?;
        fs::create_dir_all(&target)?;
        mount_bind(&source, &target)?;
    }
    unmount(&memory, UnmountFlags::DETACH)?;
    fs::remove_dir(&memory)?;
    for (path, text) in &plan.files {
        fs::write(below(root, path), text)?;
    }
    Ok(())
}

/// The old root is mounted over the new one and taken off again: no directory is needed for it.
fn leave_host(root: &Path) -> io::Result<()> {
    chdir(root)?;
    pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    chdir("/")?;
    let flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    Ok(mount_remount("/", flags, c"")?)
}
