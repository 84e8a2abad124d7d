//! Packages of a Debian archive: verified by the archive's signature, and unpacked to the build root.

pub mod apt;
mod archive;
pub mod chain;
pub mod deb;
mod download;
mod error;
pub mod evidence;
mod index;
mod listed;
mod obtain;
pub mod release;
mod resolve;
pub mod root;
mod runtime;
mod signature;
pub mod signers;
mod stanza;

pub use archive::{Archive, Options};
pub use error::{ArchiveError, ChainError};
pub use evidence::Evidence;
pub use index::Index;
pub(in crate::inputs) use resolve::{fetch, resolve, verify};
pub use runtime::Runtime;
pub(crate) use runtime::Unpacked;
