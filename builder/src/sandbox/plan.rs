use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::limits::{Limits, Resource};

/// What runs in a sandbox, and all that it sees.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Plan {
    /// A directory whose `bin`, `lib`, `usr` and so on become those of the sandbox, read-only.
    pub root: PathBuf,
    /// Further directories, read-only.
    pub binds: Vec<Bind>,
    /// Directories of the sandbox that can be written; they are in memory and start empty.
    pub writable: Vec<PathBuf>,
    /// Small files that are written into writable directories before the start.
    pub files: BTreeMap<PathBuf, String>,
    /// The program and its arguments, as seen inside.
    pub command: Vec<String>,
    /// The whole environment.
    pub environment: BTreeMap<String, String>,
    /// Where the program starts, as seen inside.
    pub directory: PathBuf,
    /// Where the program's standard output goes.
    pub output: Output,
    /// The file that is handed out when the program succeeds, as seen inside.
    pub product: Option<PathBuf>,
    /// An empty directory of the host on which the sandbox's root is mounted; it stays empty.
    pub mount_point: PathBuf,
}

impl Plan {
    /// The program, as seen inside.
    pub(super) fn program(&self) -> String {
        self.command.first().cloned().unwrap_or_default()
    }
}

/// Where a program's standard output goes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Output {
    /// To people, as its standard error does.
    People,
    /// To the caller, when the program succeeds.
    Returned,
}

/// A directory of the host as the sandbox sees it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Bind {
    /// On the host.
    pub source: PathBuf,
    /// In the sandbox.
    pub target: PathBuf,
}

/// What the helper reads first: one line of JSON.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Task {
    pub(super) plan: Plan,
    pub(super) limits: Limits,
}

/// What the helper says when it is done: one line of JSON, and behind it the bytes that it announces.
#[derive(Debug, Deserialize, Serialize)]
pub(super) enum Report {
    /// The sandbox could not be made.
    Refused { step: Step, errno: i32 },
    /// The program ended with another status than 0.
    Exited { code: i32 },
    /// A signal ended the program.
    Killed { signal: i32 },
    /// The program succeeded, but there is no product.
    Missing { errno: i32 },
    /// The program, or what it started, used more than it may.
    Exceeded { resource: Resource },
    /// The program succeeded, but a process did not end before the one that started it.
    LeftBehind { process: String },
    /// The program succeeded; this many bytes of its output follow, and then those of the product.
    Done { output: u64, product: u64 },
}

/// A step of making a sandbox.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Step {
    /// Closing what was left open.
    Files,
    /// Reading the plan.
    Plan,
    /// Leaving the host's namespaces.
    Namespaces,
    /// Becoming the fixed user.
    Identity,
    /// Tying the sandbox's life to the builder's.
    Lifetime,
    /// Starting the sandbox's first process.
    FirstProcess,
    /// Mounting the new root.
    Root,
    /// Mounting the inputs.
    Inputs,
    /// Mounting `/proc`.
    Proc,
    /// Mounting the devices.
    Devices,
    /// Making the directories that can be written.
    Writable,
    /// Leaving the host's file system.
    Pivot,
    /// Setting the host name.
    Hostname,
    /// Setting resource limits.
    Limits,
    /// Fixing the address space layout.
    AddressSpace,
    /// Giving up capabilities.
    Capabilities,
    /// Restricting file access with Landlock.
    Landlock,
    /// Installing the system call filter.
    SystemCalls,
    /// Starting the program.
    Program,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Files => "closing inherited files",
            Self::Plan => "reading plan",
            Self::Namespaces => "leaving the host's namespaces",
            Self::Identity => "mapping user and group",
            Self::Lifetime => "tying its life to the builder's",
            Self::FirstProcess => "starting its first process",
            Self::Root => "mounting its root",
            Self::Inputs => "mounting the inputs",
            Self::Proc => "mounting /proc",
            Self::Devices => "mounting the devices",
            Self::Writable => "making writable directories",
            Self::Pivot => "leaving the host's file system",
            Self::Hostname => "setting the host name",
            Self::Limits => "setting resource limits",
            Self::AddressSpace => "fixing the address space layout",
            Self::Capabilities => "giving up capabilities",
            Self::Landlock => "restricting file access",
            Self::SystemCalls => "filtering system calls",
            Self::Program => "starting the program",
        })
    }
}

/// A step that failed.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) step: Step,
    pub(super) errno: i32,
}

/// Names the step at which something failed.
pub(super) trait At<T> {
    fn at(self, step: Step) -> Result<T, Refusal>;
}

impl<T, E: Into<std::io::Error>> At<T> for Result<T, E> {
    fn at(self, step: Step) -> Result<T, Refusal> {
        self.map_err(|error| Refusal {
            step,
            errno: error.into().raw_os_error().unwrap_or_default(),
        })
    }
}
