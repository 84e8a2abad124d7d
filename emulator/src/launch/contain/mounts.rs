use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MountPropagationFlags, MoveMountFlags,
    OpenTreeFlags, UnmountFlags, fsconfig_create, fsmount, fsopen, mount, mount_bind, mount_change,
    mount_remount, move_mount, open_tree, unmount,
};
use rustix::process::pivot_root;

use super::{ContainError, Spec, failed};

/// Where a workload finds the token socket (Confidential Space).
const SHARE: &str = "/run/container_launcher";
/// All devices that there are in a container.
const DEVICES: &[&str] = &["full", "null", "random", "urandom", "zero"];
/// Where programs look for their open files.
const LINKS: &[(&str, &str)] = &[
    ("/proc/self/fd", "/dev/fd"),
    ("/proc/self/fd/0", "/dev/stdin"),
    ("/proc/self/fd/1", "/dev/stdout"),
    ("/proc/self/fd/2", "/dev/stderr"),
];

/// Leaves the machine's files behind for the image's, with `/proc`, a small `/dev` and the launcher's
/// folder. Gives the machine's `/proc`, as the container's own cannot be written to.
///
/// Nothing is looked up below the image's root before that is the process's root: a link in an image
/// leads nowhere else.
pub fn make(spec: &Spec) -> Result<OwnedFd, ContainError> {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).map_err(failed("making mounts private"))?;
    let outside = Outside::open(&spec.share)?;
    enter_root(&spec.root)?;
    make_folder("/proc")?;
    attach(&outside.own_proc, "/proc")?;
    mount_devices(&outside)?;
    mount_share(&outside)?;
    Ok(outside.proc)
}

/// What is needed of the machine when its files are no longer there.
struct Outside {
    proc: OwnedFd,
    own_proc: OwnedFd,
    devices: Vec<(&'static str, OwnedFd)>,
    share: OwnedFd,
}

impl Outside {
    fn open(share: &Path) -> Result<Self, ContainError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let proc = rustix::fs::open("/proc", flags, Mode::empty());
        let device = |name: &&'static str| {
            let tree = clone(Path::new(&format!("/dev/{name}")));
            tree.map(|tree| (*name, tree))
        };
        Ok(Self {
            proc: proc.map_err(failed("opening /proc"))?,
            own_proc: make_proc().map_err(failed("mounting /proc"))?,
            devices: DEVICES.iter().map(device).collect::<Result<_, _>>()?,
            share: clone(share)?,
        })
    }
}

fn clone(path: &Path) -> Result<OwnedFd, ContainError> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    open_tree(CWD, path, flags).map_err(|source| ContainError::File {
        step: "opening",
        path: path.to_owned(),
        source: source.into(),
    })
}

fn attach(tree: &OwnedFd, path: &str) -> Result<(), ContainError> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    let moved = move_mount(tree.as_fd(), "", CWD, path, flags);
    moved.map_err(|source| ContainError::File {
        step: "mounting",
        path: path.into(),
        source: source.into(),
    })
}

fn enter_root(root: &Path) -> Result<(), ContainError> {
    mount_bind(root, root).map_err(failed("mounting root"))?;
    std::env::set_current_dir(root).map_err(|source| ContainError::File {
        step: "entering",
        path: root.to_owned(),
        source,
    })?;
    // The old root comes to lie over the new one, and is taken away from there.
    pivot_root(".", ".").map_err(failed("changing root"))?;
    unmount(".", UnmountFlags::DETACH).map_err(failed("leaving old root"))?;
    rustix::process::chdir("/").map_err(failed("entering root"))?;
    let flags = MountFlags::BIND | MountFlags::NOSUID | MountFlags::NODEV;
    mount_remount("/", flags, c"").map_err(failed("restricting root"))
}

/// A `/proc` of the new process namespace. Without privileges the kernel makes one only where another
/// one is still seen. The whole of it is read-only: some files in it change the machine.
fn make_proc() -> rustix::io::Result<OwnedFd> {
    let context = fsopen("proc", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(context.as_fd())?;
    let attributes = MountAttrFlags::MOUNT_ATTR_RDONLY
        | MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

fn mount_devices(outside: &Outside) -> Result<(), ContainError> {
    make_folder("/dev")?;
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount("tmpfs", "/dev", "tmpfs", flags, c"mode=755,size=64k")
        .map_err(failed("mounting /dev"))?;
    for (name, tree) in &outside.devices {
        let path = format!("/dev/{name}");
        fs::write(&path, b"").map_err(at("making", &path))?;
        attach(tree, &path)?;
    }
    for (target, link) in LINKS {
        std::os::unix::fs::symlink(target, link).map_err(at("making", link))?;
    }
    make_folder("/dev/shm")?;
    let data = c"mode=1777,size=64m";
    mount("shm", "/dev/shm", "tmpfs", safe(), data).map_err(failed("mounting /dev/shm"))?;
    let read_only = MountFlags::BIND | MountFlags::RDONLY | flags;
    mount_remount("/dev", read_only, c"").map_err(failed("restricting /dev"))
}

fn mount_share(outside: &Outside) -> Result<(), ContainError> {
    make_folder(SHARE)?;
    attach(&outside.share, SHARE)?;
    let flags = MountFlags::BIND | MountFlags::RDONLY | safe();
    mount_remount(SHARE, flags, c"").map_err(failed("restricting launcher's folder"))
}

fn safe() -> MountFlags {
    MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC
}

fn make_folder(path: &str) -> Result<(), ContainError> {
    fs::create_dir_all(path).map_err(at("making", path))
}

fn at(step: &'static str, path: &str) -> impl FnOnce(std::io::Error) -> ContainError {
    let path = path.into();
    move |source| ContainError::File { step, path, source }
}
