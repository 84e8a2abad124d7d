//! The nouns that everything else is checked by: a digest, a reader that checks what it reads, the
//! limits on bytes from outside, JSON read strictly and written canonically, and text of others made
//! fit to print.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod digest;
pub mod json;
pub mod limits;
mod reader;
mod text;

pub use digest::{Digest, Hasher, InvalidDigest};
pub use reader::{
    CheckError, CheckedReader, LimitedReader, ReadError, open_regular, read_checked, read_limited,
};
pub use text::{is_plain, printable};
