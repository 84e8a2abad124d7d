//! Layers: tar archives, written in format v1 (docs/format-v1.md) or v2 (docs/format-v2.md), and read from any tool.

mod entry;
mod extension;
pub(crate) mod fault;
pub(crate) mod gzip;
mod member;
mod overlay;
mod pipeline;
mod read;
pub(crate) mod record;
pub(crate) mod stream;
mod unpack;
mod ustar;
mod write;
mod zstd;

pub use entry::{
    Attributed, Attributes, Content, Entry, EntryPath, Executable, InvalidAttribute, Kind, Mode,
    Owner,
};
pub use member::{Member, MemberKind};
pub use overlay::Overlay;
pub use pipeline::Written;
pub use read::read;
pub use stream::Compression;
pub use unpack::{Owners, unpack};
pub use write::write;
