//! A layer: a tar archive, written as format v1 fixes it byte by byte, and read from strangers.

mod entry;
mod extension;
mod fault;
mod gzip;
mod member;
mod read;
mod unpack;
mod ustar;
mod write;

pub use entry::{Content, Entry, EntryPath, Executable, Kind};
pub use member::{Member, MemberKind};
pub use read::read;
pub use unpack::unpack;
pub use write::{Written, write};
