//! The image: its files (`contents`), its bytes (`assemble`), and the documents about it (`describe`).

pub mod assemble;
pub mod contents;
pub mod describe;
mod layout;
pub(crate) mod output;

pub use layout::CHECKS;
pub(crate) use layout::{Described, assemble, describe};
