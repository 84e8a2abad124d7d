//! Limits on a source and on its build: a few kilobytes that git sends can describe terabytes.

use std::num::NonZeroU32;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

/// The number of SIGXCPU on Linux, by which the system ends a process at its limit of processor time.
const OUT_OF_TIME: i32 = 24;

/// Limits of a build, as the builder's options of the same names; `None` for the builder's default.
#[derive(Clone, Copy, Debug, Default)]
pub struct BuildLimits {
    /// Maximum memory, in MiB.
    pub memory: Option<NonZeroU32>,
    /// Maximum total size of files, in MiB.
    pub files: Option<NonZeroU32>,
    /// Maximum number of processes and threads at the same time.
    pub processes: Option<NonZeroU32>,
    /// Maximum output, in MiB.
    pub output: Option<NonZeroU32>,
}

impl BuildLimits {
    /// The builder's options.
    pub(super) fn options(&self) -> Vec<String> {
        let all = [
            ("--limit-memory", self.memory),
            ("--limit-files", self.files),
            ("--limit-processes", self.processes),
            ("--limit-output", self.output),
        ];
        let given = all
            .into_iter()
            .filter_map(|(name, limit)| Some((name, limit?)));
        given
            .flat_map(|(name, limit)| [name.to_owned(), limit.to_string()])
            .collect()
    }
}

/// Limits of fetching and checking out a source.
#[derive(Clone, Copy, Debug)]
pub struct SourceLimits {
    /// Maximum size of a file that git writes while it fetches, in bytes: the compressed repository.
    pub repository: u64,
    /// Maximum size of memory of each process of git while it fetches, in bytes.
    pub memory: u64,
    /// Maximum processor time, in seconds, of each process of git while it fetches.
    pub seconds: u64,
    /// Maximum size of all files of the commit, in bytes.
    pub files: u64,
    /// Maximum number of files and directories of the commit.
    pub entries: usize,
    /// Maximum size of all paths of the commit, in bytes.
    pub names: u64,
}

impl Default for SourceLimits {
    fn default() -> Self {
        Self {
            repository: 8 << 30,
            memory: 4 << 30,
            seconds: 3600,
            files: 4 << 30,
            entries: 500_000,
            names: 256 << 20,
        }
    }
}

impl SourceLimits {
    /// The limit that was reached, according to a line that git printed. Lines of a server begin with `remote: `.
    pub(super) fn reached(&self, line: &str) -> Option<String> {
        if line.starts_with("remote: ") {
            return None;
        }
        let is_over = |words: &[&str]| words.iter().any(|words| line.contains(words));
        if is_over(&["File too large"]) {
            Some(format!("{} bytes", self.repository))
        } else if is_over(&["ut of memory", "Cannot allocate memory"]) {
            Some(format!("{} bytes of memory", self.memory))
        } else if is_over(&[&format!("died of signal {OUT_OF_TIME}")]) {
            Some(self.time())
        } else {
            None
        }
    }

    /// The limit at which the system killed git itself.
    pub(super) fn ended(&self, status: ExitStatus) -> Option<String> {
        (status.signal() == Some(OUT_OF_TIME)).then(|| self.time())
    }

    fn time(&self) -> String {
        format!("{} seconds of processor time", self.seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_named_by_lines_of_git_alone() {
        let limits = SourceLimits::default();
        for (line, limit) in [
            (
                "fatal: write error: File too large",
                Some("8589934592 bytes"),
            ),
            (
                "fatal: Out of memory, malloc failed",
                Some("4294967296 bytes of memory"),
            ),
            (
                "error: index-pack died of signal 24",
                Some("3600 seconds of processor time"),
            ),
            ("error: index-pack died of signal 9", None),
            ("remote: File too large", None),
        ] {
            assert_eq!(limits.reached(line).as_deref(), limit, "{line}");
        }
    }

    #[test]
    fn a_git_that_the_system_ends_has_used_its_time() {
        let limits = SourceLimits::default();
        let ended = |raw| limits.ended(ExitStatus::from_raw(raw));
        assert_eq!(ended(24).as_deref(), Some("3600 seconds of processor time"));
        assert_eq!(ended(9), None);
        assert_eq!(ended(1 << 8), None);
    }
}
