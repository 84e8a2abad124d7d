use std::os::fd::OwnedFd;
use std::path::Path;

use isolate::mounts::{self, Access, View};
use isolate::root::{self, Base, Mount, Programs};
use isolate::step::{At as _, Refusal, Step};

use super::Spec;

/// Where a workload finds the token socket (Confidential Space).
const SHARE: &str = "/run/container_launcher";
/// How the machine resolves names; a container, which has the machine's network, resolves them in the
/// same way (google/go-tpm-tools, `launcher/container_spec.go`).
const NAMES: [&str; 2] = ["/etc/hosts", "/etc/resolv.conf"];

/// Leaves the machine's files for those of the image, with a small `/dev`, the launcher's folder and the files that say
/// how names are resolved. Returns the container's process file system, which is still to be attached.
///
/// As long as there is no process file system, links in the image do not lead to files that a process has open either.
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
        bind(&spec.share, SHARE),
    ];
    // A machine without one of the files resolves names without it, and so does the container.
    let names = NAMES.iter().filter(|path| Path::new(path).exists());
    parts.extend(names.map(|path| bind(Path::new(path), path)));
    parts
}

/// The process file system of the new PID namespace, which is mounted nowhere yet.
pub struct Proc {
    /// What the workload sees. All of it is read-only: some files in it change the machine.
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

    /// Attaches it; returns one that can be written and is mounted nowhere.
    pub fn attach(self) -> Result<OwnedFd, Refusal> {
        mounts::attach(&self.shown, Path::new(mounts::PROC)).at(Step::Proc)?;
        Ok(self.writable)
    }
}
