//! Bills of materials as other programs write them: CycloneDX 1.2 to 1.7 in JSON and XML, 1.0 and 1.1 in XML, and SPDX 2.2 and 2.3 in JSON and
//! tag-value form. All are parsed into one [`Document`], after they were checked against the published schemas.
#![forbid(unsafe_code)]

pub mod cyclonedx;
mod error;
mod format;
mod go;
mod linked;
mod model;
mod parse;
mod schema;
pub mod spdx;

pub use error::Error;
pub use format::Format;
pub use go::{BuildInfo, Module, build_info};
pub use linked::{Crate, linked};
pub use model::{Component, Document, Kind, Relation, RelationKind};
pub use parse::parse;

/// The largest document that is parsed, in bytes.
pub const SIZE: u64 = 64 << 20;
/// The largest program of which it is read what is linked into it, in bytes. It is in memory meanwhile.
pub const PROGRAM: u64 = 256 << 20;
/// The largest number of components in a document, files included.
pub const COMPONENTS: usize = 500_000;
/// The deepest nesting of elements in XML; that of JSON is `content::limits::JSON_DEPTH`.
const XML_DEPTH: u32 = 64;
