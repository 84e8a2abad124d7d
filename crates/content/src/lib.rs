//! The nouns that everything else is checked by: a digest, a reader that checks what it reads, the
//! limits on bytes from outside, and JSON read strictly and written canonically.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod digest;
pub mod json;
pub mod limits;
mod reader;

pub use digest::{Digest, Hasher, InvalidDigest};
pub use reader::{CheckError, CheckedReader, ReadError, read_checked, read_limited};
