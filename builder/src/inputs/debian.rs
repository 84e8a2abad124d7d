//! Packages of a Debian archive, and the build root that they make.

pub mod apt;
mod archive;
pub mod chain;
pub mod deb;
mod error;
pub mod evidence;
pub(super) mod obtain;
pub mod release;
pub mod root;
mod signature;
pub mod signers;

pub use archive::{Archive, Options};
pub use error::{ArchiveError, ChainError};
pub use evidence::Evidence;
pub use signature::Signature;
