//! Limits on a commit: a few kilobytes of git objects can describe terabytes of files.

/// Most files and folders of a source.
pub(super) const ENTRIES: usize = 100_000;
/// Most bytes of one file.
pub(super) const FILE: u64 = 256 << 20;
/// Most bytes of a commit or a tree object.
pub(super) const LIST: u64 = 16 << 20;
/// Most bytes of all objects of a source.
pub(super) const TOTAL: u64 = 2 << 30;
/// Most bytes of a path; Linux opens no longer path.
pub(super) const PATH: usize = 4096;
