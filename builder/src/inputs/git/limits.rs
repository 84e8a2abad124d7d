//! Limits on a commit: a few kilobytes of git objects can describe terabytes of files.

/// Maximum number of files and folders of a source.
pub(super) const ENTRIES: usize = 100_000;
/// Maximum size of one file, in bytes.
pub(super) const FILE: u64 = 256 << 20;
/// Maximum size of a commit or a tree object, in bytes.
pub(super) const LIST: u64 = 16 << 20;
/// Maximum size of all objects of a source, in bytes.
pub(super) const TOTAL: u64 = 2 << 30;
/// Maximum size of a path, in bytes; Linux opens no longer path.
pub(super) const PATH: usize = 4096;
