//! The types that all other checks use: a digest, a reader that checks size and digest, limits on untrusted input,
//! errors of files, strict parsing and canonical writing of JSON, strict parsing of TOML (with the feature `toml`), and
//! escaping of untrusted text for printing.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod at;
mod digest;
pub mod json;
pub mod limits;
mod reader;
mod text;
#[cfg(feature = "toml")]
pub mod toml;

pub use digest::{Digest, Hasher, InvalidDigest};
pub use reader::{
    CheckError, CheckedReader, LimitedReader, ReadError, open_regular, read_checked, read_limited,
};
pub use text::{is_plain, printable};
