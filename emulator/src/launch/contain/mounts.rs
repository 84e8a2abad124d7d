use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use isolate::mounts;
use rustix::fs::CWD;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MoveMountFlags, OpenTreeFlags,
    fsconfig_create, fsmount, fsopen, mount, mount_bind, mount_remount, move_mount, open_tree,
};

use super::{ContainError, Spec, failed};

/// Where a workload finds the token socket (Confidential Space).
const SHARE: &str = "/run/container_launcher";
/// Where a workload finds its processes.
const PROC: &str = "/proc";
/// How the machine resolves names; a container, which has the machine's network, resolves them in the
/// same way (google/go-tpm-tools, `launcher/container_spec.go`).
const NAMES: &[&str] = &["/etc/hosts", "/etc/resolv.conf"];

/// Leaves the machine's files behind for the image's, with a small `/dev`, the launcher's folder and the
/// files that say how names are resolved.
/// Gives the container's process file system, which is still to be attached.
///
/// Nothing is looked up below the image's root before that is the process's root: a link in an image
/// leads nowhere else. As long as there is no process file system either, this holds for the links
/// in it to what a process has open, too.
pub fn make(spec: &Spec) -> Result<Proc, ContainError> {
    mounts::make_private().map_err(failed("making mounts private"))?;
    let outside = Outside::open(&spec.share)?;
    enter_root(&spec.root)?;
    make_folder(PROC)?;
    mount_devices(&outside)?;
    mount_share(&outside)?;
    mount_names(&outside)?;
    Ok(outside.proc)
}

/// What is needed of the machine when its files are no longer there.
struct Outside {
    proc: Proc,
    devices: Vec<(&'static str, OwnedFd)>,
    share: OwnedFd,
    names: Vec<(&'static str, OwnedFd)>,
}

impl Outside {
    fn open(share: &Path) -> Result<Self, ContainError> {
        let device = |name| clone(&Path::new("/dev").join(name)).map(|tree| (name, tree));
        Ok(Self {
            proc: Proc::make().map_err(failed("mounting /proc"))?,
            devices: mounts::DEVICES
                .into_iter()
                .map(device)
                .collect::<Result<_, _>>()?,
            share: clone(share)?,
            names: clone_names()?,
        })
    }
}

/// The process file system of the new process namespace, which is nowhere yet.
pub struct Proc {
    /// What the workload will see. The whole of it is read-only: some files in it change the machine.
    shown: OwnedFd,
    /// The same to write to.
    writable: OwnedFd,
}

impl Proc {
    /// Without privileges the kernel makes one only where another one is still seen.
    fn make() -> rustix::io::Result<Self> {
        Ok(Self {
            shown: make_proc(MountAttrFlags::MOUNT_ATTR_RDONLY)?,
            writable: make_proc(MountAttrFlags::empty())?,
        })
    }

    /// Attaches it, and gives one to write to that is attached nowhere.
    pub fn attach(self) -> Result<OwnedFd, ContainError> {
        attach(&self.shown, PROC)?;
        Ok(self.writable)
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

/// A machine without one of the files resolves names without it, and so does the container.
fn clone_names() -> Result<Vec<(&'static str, OwnedFd)>, ContainError> {
    let is_there = |path: &&&'static str| Path::new(path).exists();
    let names = NAMES.iter().filter(is_there);
    names
        .map(|path| Ok((*path, clone(Path::new(path))?)))
        .collect()
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
    mounts::change_root(root).map_err(failed("changing root"))?;
    let flags = MountFlags::BIND | MountFlags::NOSUID | MountFlags::NODEV;
    mount_remount("/", flags, c"").map_err(failed("restricting root"))
}

fn make_proc(more: MountAttrFlags) -> rustix::io::Result<OwnedFd> {
    let context = fsopen("proc", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(context.as_fd())?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    let flags = FsMountFlags::FSMOUNT_CLOEXEC;
    fsmount(context.as_fd(), flags, attributes | more)
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
        mounts::protect_device(Path::new(&path)).map_err(failed("restricting devices"))?;
    }
    for (name, target) in mounts::LINKS {
        let link = format!("/dev/{name}");
        std::os::unix::fs::symlink(target, &link).map_err(at("making", &link))?;
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

fn mount_names(outside: &Outside) -> Result<(), ContainError> {
    make_folder("/etc")?;
    for (path, tree) in &outside.names {
        make_file(path)?;
        attach(tree, path)?;
        let flags = MountFlags::BIND | MountFlags::RDONLY | safe();
        mount_remount(*path, flags, c"").map_err(failed("restricting names"))?;
    }
    Ok(())
}

/// Makes a file to mount over. A link is replaced, since a mount does not follow it, and a file of the
/// image keeps its content below the mount.
fn make_file(path: &str) -> Result<(), ContainError> {
    if fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
        fs::remove_file(path).map_err(at("replacing", path))?;
    }
    let mut options = fs::OpenOptions::new();
    let made = options.create(true).append(true).open(path);
    made.map(drop).map_err(at("making", path))
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
