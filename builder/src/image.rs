//! The image: its files, its bytes, and what is said about it.

pub mod assemble;
pub(crate) mod contents;
pub mod describe;
pub(crate) mod output;
