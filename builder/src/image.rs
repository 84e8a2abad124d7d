//! The image: its files (`contents`), its bytes (`assemble`), and the documents about it (`describe`).

mod accounts;
pub mod assemble;
mod base;
mod collection;
pub mod contents;
pub mod describe;
mod folder;
mod layout;
pub(crate) mod output;
mod packages;
mod replaced;
pub mod several;
mod wheels;

pub use layout::CHECKS;
pub(crate) use layout::{Described, assemble, describe};
pub use several::BuiltImage;
