//! Limits on a source: a few kilobytes that git sends can describe terabytes.

/// What fetching and checking out may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes of one file that git writes while it fetches: the repository, compressed.
    pub(super) repository: u64,
    /// Bytes of memory of one of git's processes while it fetches.
    pub(super) memory: u64,
    /// Seconds of processor time of one of git's processes while it fetches.
    pub(super) seconds: u64,
    /// Bytes of all files of the commit.
    pub(super) files: u64,
    /// Files and directories of the commit.
    pub(super) entries: usize,
    /// Bytes of all paths of the commit.
    pub(super) names: u64,
}

impl Default for Limits {
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

impl Limits {
    /// The limit that a line of git speaks of. The words of a server come behind its own name.
    pub(super) fn reached(&self, line: &str) -> Option<String> {
        if line.starts_with("remote: ") {
            return None;
        }
        let is_over = |words: &[&str]| words.iter().any(|words| line.contains(words));
        if is_over(&["File too large"]) {
            Some(format!("{} bytes", self.repository))
        } else if is_over(&["ut of memory", "Cannot allocate memory"]) {
            Some(format!("{} bytes of memory", self.memory))
        } else {
            None
        }
    }
}
