use std::collections::BTreeMap;
use std::path::PathBuf;

use isolate::limits::{Limits, Resource};
use isolate::process::Process;
use isolate::root::{Mount, Programs};
use isolate::step::Refusal;
use isolate::supervise::Output;
use serde::{Deserialize, Serialize};

/// The program to run in a sandbox, and everything that it can see.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Plan {
    /// A folder whose `bin`, `lib`, `usr` and so on become those of the sandbox, read-only.
    pub root: PathBuf,
    /// Further files and folders, read-only.
    pub binds: Vec<Bind>,
    /// Folders of the sandbox that can be written; they are in memory and start empty.
    pub writable: Vec<PathBuf>,
    /// Small files that are written into writable folders before the start.
    pub files: BTreeMap<PathBuf, String>,
    /// Folders that are copied before the start.
    pub copies: Vec<Copy>,
    /// Where linkers write what they read, if they do.
    pub traces: Option<Traces>,
    /// The program that runs.
    pub process: Process,
    /// The destination of the program's standard output.
    pub output: Output,
    /// The files that are handed out when the program succeeds, as seen inside.
    pub products: Vec<PathBuf>,
    /// An empty folder of the machine on which the sandbox's root is mounted; it stays empty.
    pub mount_point: PathBuf,
}

/// Where linkers write what they read: for each link that succeeded, a file `NAME.d` with a rule for make, and a file `NAME.cwd` with
/// the directory that paths in it are relative to.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Traces {
    /// The folder, as seen inside. It can be written.
    pub folder: PathBuf,
    /// The folder with the libraries that a compiler may copy before it calls the linker, and remove again.
    pub libraries: Option<PathBuf>,
}

/// A file or folder of the machine as the sandbox sees it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Bind {
    /// Its path on the machine.
    pub source: PathBuf,
    /// Its path in the sandbox.
    pub target: PathBuf,
}

/// A folder of the sandbox that is copied into a writable one.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Copy {
    /// The folder.
    pub from: PathBuf,
    /// The copy, in a writable folder.
    pub to: PathBuf,
}

impl Bind {
    pub(super) fn to_mount(&self) -> Mount {
        Mount::Bind {
            source: self.source.clone(),
            path: self.target.clone(),
            programs: Programs::Allowed,
        }
    }
}

/// The task that the helper reads first, as one line of JSON.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Task {
    pub(super) plan: Plan,
    pub(super) limits: Limits,
}

/// The report that the helper writes at the end: one line of JSON, followed by the bytes that it announces.
#[derive(Debug, Deserialize, Serialize)]
pub(super) enum Report {
    /// The sandbox could not be created.
    Refused(Refusal),
    /// The program ended with another status than 0.
    Exited { code: i32 },
    /// A signal ended the program.
    Killed { signal: i32 },
    /// The program succeeded, but this product cannot be read.
    Missing { product: PathBuf, errno: i32 },
    /// The program, or a process that it started, used more than it may.
    Exceeded { resource: Resource },
    /// The program succeeded, but a process did not end before the one that started it.
    LeftBehind { process: String },
    /// What linkers read cannot be told.
    Untraced { reason: String },
    /// The program succeeded; this many bytes of its output follow, then those of [`super::Traced`] as JSON, and then those of
    /// each product.
    Done {
        output: u64,
        traced: u64,
        products: Vec<u64>,
    },
}
