//! Packages of a Debian archive: verified by the archive's signature, and unpacked to the build root.

pub mod apt;
mod archive;
pub mod chain;
mod closure;
pub mod deb;
mod download;
mod error;
pub mod evidence;
mod index;
mod listed;
mod obtain;
mod options;
mod owners;
pub mod release;
mod resolve;
pub mod root;
mod runtime;
mod signature;
pub mod signers;
mod similar;
mod stanza;
mod toolchain;
mod version;

pub use archive::Archives;
pub use closure::Suites;
pub(in crate::inputs) use download::{Downloads, Fault};
pub use error::{ArchiveError, ChainError};
pub use evidence::{AllEvidence, Evidence};
pub use index::Index;
pub use options::Options;
pub(crate) use owners::owners;
pub(in crate::inputs) use resolve::{fetch, resolve, verify};
pub use runtime::Runtime;
pub(crate) use runtime::Unpacked;
pub(in crate::inputs) use toolchain::check_for_cargo;
