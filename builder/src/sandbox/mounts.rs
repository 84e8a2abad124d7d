use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use isolate::mounts;
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, mount_remount, unmount};

use super::limits::Limits;
use super::plan::{At, Plan, Refusal, Step};

/// What a build root has at its top that programs look for.
const TOP: [&str; 7] = ["bin", "lib", "lib32", "lib64", "libx32", "sbin", "usr"];
/// Where the one file system of all writable directories is mounted until they are.
const MEMORY: &str = "memory";

/// Replaces the process's file system by the one that `plan` describes.
pub(super) fn enter(plan: &Plan, limits: Limits) -> Result<(), Refusal> {
    let root = &plan.mount_point;
    mounts::make_private().at(Step::Root)?;
    mounts::memory(root, MountFlags::NODEV, "mode=0755").at(Step::Root)?;
    mount_inputs(plan, root).at(Step::Inputs)?;
    mount_proc(root).at(Step::Proc)?;
    mount_devices(root).at(Step::Devices)?;
    make_writable(plan, root, limits).at(Step::Writable)?;
    leave_host(root).at(Step::Pivot)
}

fn mount_inputs(plan: &Plan, root: &Path) -> io::Result<()> {
    for name in TOP {
        let source = plan.root.join(name);
        match fs::symlink_metadata(&source) {
            Ok(found) if found.is_symlink() => symlink(fs::read_link(&source)?, root.join(name))?,
            Ok(_) => bind_folder(&source, &root.join(name))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    for bind in &plan.binds {
        bind_folder(&bind.source, &below(root, &bind.target))?;
    }
    fs::create_dir_all(root.join("etc"))
}

/// A path of the sandbox as long as its root is mounted below `root`.
fn below(root: &Path, inside: &Path) -> PathBuf {
    root.join(inside.strip_prefix("/").unwrap_or(inside))
}

fn bind_folder(source: &Path, target: &Path) -> io::Result<()> {
    fs::create_dir_all(target)?;
    mounts::bind_read_only(source, target)
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
    for name in mounts::DEVICES {
        let target = dev.join(name);
        fs::File::create(&target)?;
        mount_bind(Path::new("/dev").join(name), &target)?;
        mounts::protect_device(&target)?;
    }
    for (name, target) in mounts::LINKS {
        symlink(target, dev.join(name))?;
    }
    Ok(())
}

/// All writable directories are of one file system, so that one limit holds for them together.
fn make_writable(plan: &Plan, root: &Path, limits: Limits) -> io::Result<()> {
    let memory = root.join(MEMORY);
    fs::create_dir(&memory)?;
    mounts::memory(&memory, MountFlags::NODEV, &limits.mount_options())?;
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

fn leave_host(root: &Path) -> io::Result<()> {
    mounts::change_root(root)?;
    let flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    Ok(mount_remount("/", flags, c"")?)
}
