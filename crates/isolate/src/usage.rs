//! Measures how much memory, files and processes a PID namespace uses, in its first process. Control groups would be
//! exact, but an unprivileged user has none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;

use crate::limits::{Limits, Resource};

/// Bytes of the unit of memory in `/proc` (proc(5)).
const KIB: u64 = 1 << 10;
const PROC: &str = "/proc";

/// The limit that is exceeded, if any. `writable` is a folder of the file system whose files are limited.
///
/// # Errors
/// The file system or `/proc` cannot be read.
pub(crate) fn exceeded(limits: Limits, writable: Option<&Path>) -> io::Result<Option<Resource>> {
    let files = match writable {
        Some(folder) => Files::of(folder)?,
        None => Files::default(),
    };
    if files.bytes > limits.files() || files.count > limits.file_count() {
        return Ok(Some(Resource::Files));
    }
    let tasks = Tasks::count()?;
    if tasks.threads > limits.processes() {
        return Ok(Some(Resource::Processes));
    }
    // The first sum counts shared pages once for each process, so it is never too small. The second is exact, but
    // slow.
    let is_too_much =
        tasks.memory > limits.memory() && tasks.proportional(files.bytes) > limits.memory();
    Ok(is_too_much.then_some(Resource::Memory))
}

/// The files of a file system.
#[derive(Default)]
struct Files {
    bytes: u64,
    count: u64,
}

impl Files {
    fn of(folder: &Path) -> io::Result<Self> {
        let found = statvfs(folder)?;
        Ok(Self {
            bytes: found.f_blocks.saturating_sub(found.f_bfree) * found.f_frsize,
            count: found.f_files.saturating_sub(found.f_ffree),
        })
    }
}

/// All processes of the PID namespace.
#[derive(Default)]
struct Tasks {
    folders: Vec<PathBuf>,
    threads: u64,
    /// Bytes of anonymous and of shared memory.
    memory: u64,
}

impl Tasks {
    fn count() -> io::Result<Self> {
        let mut tasks = Self::default();
        for entry in fs::read_dir(PROC)? {
            let entry = entry?;
            let name = entry.file_name();
            if !name.as_encoded_bytes().iter().all(u8::is_ascii_digit) {
                continue;
            }
            // A process that has ended in the meantime uses nothing.
            let Ok(status) = fs::read(entry.path().join("status")) else {
                continue;
            };
            tasks.threads += field(&status, "Threads").max(1);
            tasks.memory += (field(&status, "RssAnon") + field(&status, "RssShmem")) * KIB;
            tasks.folders.push(entry.path());
        }
        Ok(tasks)
    }

    /// Bytes of memory, with each shared page counted once. Shared memory includes files that are mapped, which have a
    /// limit of their own.
    fn proportional(&self, files: u64) -> u64 {
        let (mut anonymous, mut shared) = (0, 0);
        for folder in &self.folders {
            // This file cannot be read for all processes; for the others, the larger number counts.
            let (map, names) = match fs::read(folder.join("smaps_rollup")) {
                Ok(map) => (Ok(map), ["Pss_Anon", "Pss_Shmem"]),
                Err(_) => (fs::read(folder.join("status")), ["RssAnon", "RssShmem"]),
            };
            let map = map.unwrap_or_default();
            anonymous += field(&map, names[0]) * KIB;
            shared += field(&map, names[1]) * KIB;
        }
        anonymous + shared.saturating_sub(files)
    }
}

/// The number in the line `name: number`; 0 if there is no such line, as for processes without memory.
fn field(lines: &[u8], name: &str) -> u64 {
    let value = lines.split(|byte| *byte == b'\n').find_map(|line| {
        let rest = line.strip_prefix(name.as_bytes())?.strip_prefix(b":")?;
        let text = std::str::from_utf8(rest).ok()?;
        text.split_ascii_whitespace().next()?.parse().ok()
    });
    value.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_field_by_its_whole_name() {
        let status = b"Name:\tRssAnon: 7\nVmRSS:\t  10 kB\nRssAnon:\t  4 kB\nThreads:\t3\n";
        assert_eq!(field(status, "RssAnon"), 4);
        assert_eq!(field(status, "Threads"), 3);
        assert_eq!(field(status, "Rss"), 0);
    }

    #[test]
    fn this_process_uses_something() {
        let tasks = Tasks::count().unwrap();
        assert!(tasks.threads > 0 && tasks.memory > 0);
        let own = Tasks {
            folders: vec!["/proc/self".into()],
            ..Tasks::default()
        };
        assert!(own.proportional(0) > 0);
    }
}
