//! The file system of an isolated program.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, UnmountFlags, mount_bind, mount_remount, unmount};

use crate::mounts::{self, Access, View};
use crate::step::{At as _, Refusal, Step};

/// The temporary mount point of the file system that contains all writable folders.
const MEMORY: &str = "/memory";
/// Flags of all mounts: an isolated program needs neither set-user-ID programs nor device nodes.
const SAFE: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV);

/// The file system at the root.
#[derive(Clone, Debug)]
pub enum Base {
    /// An empty file system in memory, which is made read-only at the end. It is mounted at this empty folder of the
    /// machine.
    Memory(PathBuf),
    /// This folder of the machine.
    Folder(PathBuf),
}

/// Whether programs in a mount can be executed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Programs {
    /// They can.
    Allowed,
    /// They cannot.
    Forbidden,
}

/// A part of the file system. Paths are those that the program sees, unless a field says otherwise.
#[derive(Clone, Debug)]
pub enum Mount {
    /// A folder of the root.
    Folder {
        /// Its path.
        path: PathBuf,
    },
    /// A symbolic link.
    Link {
        /// Its path.
        path: PathBuf,
        /// Its target.
        target: PathBuf,
    },
    /// A file or folder of the machine, read-only.
    Bind {
        /// Its path on the machine.
        source: PathBuf,
        /// Its path.
        path: PathBuf,
        /// Whether programs in it can be executed.
        programs: Programs,
    },
    /// A new file system in memory, without programs.
    Memory {
        /// Its path.
        path: PathBuf,
        /// Its options (tmpfs(5)).
        options: String,
    },
    /// Writable folders. All are in one file system in memory, so that they share one limit.
    Writable {
        /// Their paths.
        paths: Vec<PathBuf>,
        /// The options of the file system (tmpfs(5)).
        options: String,
    },
    /// `/dev` with devices that give no access to the machine ([`mounts::DEVICES`]).
    Devices,
    /// `/proc`, read-only, as one process could write to another's memory there.
    Proc(View),
    /// Makes the mount at this path read-only, after everything below it was created.
    ReadOnly {
        /// Its path.
        path: PathBuf,
    },
}

/// Replaces the file system of this process, which is alone in its mount namespace.
///
/// All files of the machine are opened first. Paths below the root are resolved only after it has become the root of this
/// process, so that links in it cannot lead to files of the machine.
///
/// # Errors
/// The mount that failed.
pub fn enter(base: &Base, parts: &[Mount]) -> Result<(), Refusal> {
    mounts::make_private().at(Step::Root)?;
    let opened: Result<Vec<_>, _> = parts.iter().map(Mount::open).collect();
    let opened = opened?;
    base.enter()?;
    for (part, trees) in parts.iter().zip(&opened) {
        part.attach(trees)?;
    }
    match base {
        Base::Memory(_) => restrict("/", SAFE | MountFlags::RDONLY).at(Step::Root),
        Base::Folder(_) => Ok(()),
    }
}

impl Base {
    fn enter(&self) -> Result<(), Refusal> {
        let folder = match self {
            Self::Memory(folder) => {
                mounts::memory(folder, SAFE, "mode=0755").at_path(Step::Root, folder)?;
                folder
            }
            Self::Folder(folder) => {
                mount_bind(folder, folder).at_path(Step::Root, folder)?;
                folder
            }
        };
        mounts::change_root(folder).at_path(Step::Root, folder)?;
        restrict("/", SAFE).at(Step::Root)
    }
}

impl Mount {
    /// Opens the files of the machine that are needed.
    fn open(&self) -> Result<Vec<OwnedFd>, Refusal> {
        match self {
            Self::Bind { source, .. } => {
                let tree = mounts::open(source).at_path(Step::Mount, source)?;
                Ok(vec![tree])
            }
            Self::Devices => mounts::DEVICES.iter().map(open_device).collect(),
            Self::Proc(view) => {
                let proc = mounts::proc(*view, Access::ReadOnly).at(Step::Proc)?;
                Ok(vec![proc])
            }
            _ => Ok(Vec::new()),
        }
    }

    fn attach(&self, trees: &[OwnedFd]) -> Result<(), Refusal> {
        match self {
            Self::Folder { path } => fs::create_dir_all(path).at_path(Step::Mount, path),
            Self::Link { path, target } => symlink(target, path).at_path(Step::Mount, path),
            Self::Bind { path, programs, .. } => {
                bind(trees, path, *programs).at_path(Step::Mount, path)
            }
            Self::Memory { path, options } => memory(path, options).at_path(Step::Mount, path),
            Self::Writable { paths, options } => writable(paths, options),
            Self::Devices => devices(trees).at(Step::Devices),
            Self::Proc(_) => proc(trees).at(Step::Proc),
            Self::ReadOnly { path } => {
                let flags = SAFE | MountFlags::NOEXEC | MountFlags::RDONLY;
                restrict(path, flags).at_path(Step::Mount, path)
            }
        }
    }
}

fn open_device(name: &&str) -> Result<OwnedFd, Refusal> {
    let path = Path::new("/dev").join(name);
    mounts::open(&path).at_path(Step::Devices, &path)
}

fn restrict(path: impl AsRef<Path>, flags: MountFlags) -> rustix::io::Result<()> {
    mount_remount(path.as_ref(), MountFlags::BIND | flags, c"")
}

fn bind(trees: &[OwnedFd], path: &Path, programs: Programs) -> io::Result<()> {
    for tree in trees {
        mounts::attach(tree, path)?;
    }
    let flags = match programs {
        Programs::Allowed => mounts::locked(path)?,
        Programs::Forbidden => MountFlags::NOEXEC,
    };
    Ok(restrict(path, flags | SAFE | MountFlags::RDONLY)?)
}

fn memory(path: &Path, options: &str) -> io::Result<()> {
    fs::create_dir_all(path)?;
    mounts::memory(path, SAFE | MountFlags::NOEXEC, options)
}

fn writable(paths: &[PathBuf], options: &str) -> Result<(), Refusal> {
    let memory = Path::new(MEMORY);
    fs::create_dir(memory).at(Step::Writable)?;
    mounts::memory(memory, SAFE, options).at(Step::Writable)?;
    for (number, path) in paths.iter().enumerate() {
        let source = memory.join(number.to_string());
        let made = fs::create_dir(&source).and_then(|()| fs::create_dir_all(path));
        made.and_then(|()| Ok(mount_bind(&source, path)?))
            .at_path(Step::Writable, path)?;
    }
    unmount(memory, UnmountFlags::DETACH).at(Step::Writable)?;
    fs::remove_dir(memory).at(Step::Writable)
}

fn devices(trees: &[OwnedFd]) -> io::Result<()> {
    let folder = Path::new("/dev");
    fs::create_dir_all(folder)?;
    for (name, tree) in mounts::DEVICES.iter().zip(trees) {
        let path = folder.join(name);
        mounts::attach(tree, &path)?;
        mounts::protect_device(&path)?;
    }
    for (name, target) in mounts::LINKS {
        symlink(target, folder.join(name))?;
    }
    Ok(())
}

fn proc(trees: &[OwnedFd]) -> io::Result<()> {
    let mut trees = trees.iter();
    trees.try_for_each(|tree| mounts::attach(tree, Path::new(mounts::PROC)))
}
