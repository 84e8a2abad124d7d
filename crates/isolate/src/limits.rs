//! Limits on what a program may use of the machine, together with all processes that it starts.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// Bytes in a MiB.
const MIB: u64 = 1 << 20;
/// The kernel's limit is higher than the configured one by 1/16 of it. So the first process can distinguish a program
/// that exceeded the limit from one that only came close.
const MARGIN: u64 = 16;
/// Bytes of a page. For each page that fits into the files, there may be one file.
const PAGE: u64 = 4096;

/// Limits on a program, together with all processes that it starts.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Limits {
    /// MiB of memory of processes, without files.
    pub memory: NonZeroU32,
    /// MiB of files, which are also in memory.
    pub files: NonZeroU32,
    /// Processes and threads at the same time.
    pub processes: NonZeroU32,
    /// MiB of output, counted for each of standard output and standard error.
    pub output: NonZeroU32,
}

impl Limits {
    /// The bytes of memory.
    pub(crate) fn memory(self) -> u64 {
        bytes(self.memory)
    }

    /// The bytes of files.
    pub(crate) fn files(self) -> u64 {
        bytes(self.files)
    }

    /// How many files.
    pub(crate) fn file_count(self) -> u64 {
        self.files() / PAGE
    }

    /// Processes and threads.
    pub(crate) fn processes(self) -> u64 {
        self.processes.get().into()
    }

    /// The bytes of output, for each of standard output and standard error.
    pub fn output(self) -> u64 {
        bytes(self.output)
    }

    /// The number of processes and threads at which the kernel refuses another.
    pub fn process_ceiling(self) -> u64 {
        with_margin(self.processes())
    }

    /// The options of the file system in memory (tmpfs(5)).
    pub fn mount_options(self) -> String {
        let (size, count) = (with_margin(self.files()), with_margin(self.file_count()));
        format!("mode=0755,size={size},nr_inodes={count}")
    }

    /// The limit for `resource`, for a message.
    pub fn exceeded(self, resource: Resource) -> Exceeded {
        let allowed = match resource {
            Resource::Memory => self.memory,
            Resource::Files => self.files,
            Resource::Processes => self.processes,
            Resource::Output => self.output,
        };
        Exceeded { resource, allowed }
    }
}

fn bytes(mebibytes: NonZeroU32) -> u64 {
    u64::from(mebibytes.get()) * MIB
}

/// The limit with its margin, which is rounded up to at least 1.
fn with_margin(limit: u64) -> u64 {
    limit + limit.div_ceil(MARGIN)
}

/// The resource that a limit applies to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Resource {
    /// Memory of processes.
    Memory,
    /// Files in memory.
    Files,
    /// Processes and threads.
    Processes,
    /// Standard output, or standard error.
    Output,
}

/// A limit that was exceeded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Exceeded {
    /// The limit's kind.
    pub resource: Resource,
    /// The limit, in MiB or in processes.
    pub allowed: NonZeroU32,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.resource {
            Resource::Memory => "MiB of memory",
            Resource::Files => "MiB of its temporary file system",
            Resource::Processes => "processes and threads",
            Resource::Output => "MiB of output",
        };
        write!(f, "it used more than {} {unit}", self.allowed)
    }
}
