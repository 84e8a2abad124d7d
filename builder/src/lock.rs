//! `Image.lock`: every input from outside, by path, size and digest.

pub mod crates;
pub mod index;
pub mod packages;
mod size;
pub mod time;
