//! Compiles the source to a program: one file for each kind of build. [`crate::build`] chooses one.

pub mod cargo;
mod elf;
pub(crate) mod error;
pub mod program;
mod programs;
mod zlib;
