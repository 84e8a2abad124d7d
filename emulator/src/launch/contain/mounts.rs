//! The file systems of the container.

use std::os::fd::OwnedFd;
use std::path::Path;

use isolate::mounts::{self, Access, View};
use isolate::root::{self, Base, Mount, Programs};
use isolate::step::{At as _, Refusal, Step};

use super::Spec;

/// Where a workload finds the token socket (Confidential Space).
const SHARE: &str = "/run/container_launcher";
/// Files that define how the machine resolves host names. A container, which has the machine's network, gets the same
/// files (google/go-tpm-tools, `launcher/container_spec.go`).
const NAMES: [&str; 2] = ["/etc/hosts", "/etc/resolv.conf"];

/// Replaces the machine's file system by that of the image, with a small `/dev`, the launcher's folder and the files for
/// the resolution of host names. Returns the container's process file system, which is not mounted yet: until then, links
/// in the image cannot lead to open files of a process.
pub fn make(spec: &Spec) -> Result<Proc, Refusal> {
    let proc = Proc::make().at(Step::Proc)?;
    root::enter(&Base::Folder(spec.root.clone()), &parts(spec))?;
    Ok(proc)
}

fn parts(spec: &Spec) -> Vec<Mount> {
    let memory = |path: &str, options: &str| Mount::Memory {
        path: path.into(),
        options: options.to_owned(),
    };
    let bind = |source: &Path, path: &str| Mount::Bind {
        source: source.to_owned(),
        path: path.into(),
        programs: Programs::Forbidden,
    };
    let mut parts = vec![
        memory("/dev", "mode=755,size=64k"),
        Mount::Devices,
        memory("/dev/shm", "mode=1777,size=64m"),
        Mount::ReadOnly {
            path: "/dev".into(),
        },
        // As containerd makes it, whatever the image has there.
        memory("/run", "mode=755,size=64m"),
        bind(&spec.share, SHARE),
    ];
    // A machine without one of the files resolves names without it, and so does the container.
    let names = NAMES.iter().filter(|path| Path::new(path).exists());
    parts.extend(names.map(|path| bind(Path::new(path), path)));
    parts
}

/// The process file system of the new PID namespace, which is not mounted yet.
pub struct Proc {
    /// The mount for the workload. It is read-only, because writing to some of its files changes the machine.
    shown: OwnedFd,
    /// The same, writable.
    writable: OwnedFd,
}

impl Proc {
    fn make() -> rustix::io::Result<Self> {
        Ok(Self {
            shown: mounts::proc(View::All, Access::ReadOnly)?,
            writable: mounts::proc(View::All, Access::Writable)?,
        })
    }

    /// Mounts it; returns a writable one that is not mounted.
    pub fn attach(self) -> Result<OwnedFd, Refusal> {
        mounts::attach(&self.shown, Path::new(mounts::PROC)).at(Step::Proc)?;
        Ok(self.writable)
    }
}
