//! Limits on what a commit may hold: a few kilobytes of git objects can describe terabytes of files.

/// Files and folders of the source.
pub(super) const ENTRIES: usize = 100_000;
/// Bytes of one file of the source.
pub(super) const FILE: u64 = 256 << 20;
/// Bytes of a commit or of one folder's list.
pub(super) const LIST: u64 = 16 << 20;
/// Bytes of all objects of the source.
pub(super) const TOTAL: u64 = 2 << 30;
/// Bytes of one path; Linux opens no longer one.
pub(super) const PATH: usize = 4096;
