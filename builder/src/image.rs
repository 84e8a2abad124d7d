//! The image: its files (`contents`), its bytes (`assemble`), and the documents about it (`describe`).

pub mod assemble;
pub(crate) mod contents;
pub mod describe;
mod layout;
pub(crate) mod output;

pub use layout::CHECKS;
pub(crate) use layout::{assemble, describe};
