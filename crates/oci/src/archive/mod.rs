//! Tar archives of any tool, read as Go's `archive/tar` reads them. Container runtimes use it, so it decides what a
//! layer means. Unlike [`layer::read`](crate::layer::read()), which refuses every archive that two common readers
//! read differently, this module accepts all dialects: V7, ustar, pax, GNU and star, with sparse files, devices and
//! repeated headers.

mod block;
mod escape;
mod number;
mod pax;
mod read;
mod sparse;

use std::collections::BTreeMap;

use content::Digest;

pub use read::{decompress, read};

/// One entry of an archive, with the extended headers applied.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Entry {
    /// The name as it is written. It does not leave the image's root.
    pub name: Vec<u8>,
    /// The target of a link; otherwise usually empty.
    pub link: Vec<u8>,
    /// The type flag (POSIX.1-2017, pax: ustar interchange format). NUL is converted to `0`, or to `5` if the name
    /// ends in a slash.
    pub flag: u8,
    /// The size of the content in bytes; of a sparse file, with its holes.
    pub size: u64,
    /// The mode, with all bits of the header.
    pub mode: i64,
    /// The user ID.
    pub uid: i64,
    /// The group ID.
    pub gid: i64,
    /// The time of the last modification, in Unix seconds, rounded down.
    pub mtime: i64,
    /// The records of the extended header of POSIX.
    pub records: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The digest of the content. `None` for an entry without content, and for sparse files after the first
    /// gibibyte of holes in the archive.
    pub digest: Option<Digest>,
}

impl Entry {
    /// Whether an entry of this type has no content, whatever its size says: links, devices, directories and pipes.
    pub(crate) fn is_header_only(&self) -> bool {
        matches!(self.flag, b'1'..=b'6')
    }
}
