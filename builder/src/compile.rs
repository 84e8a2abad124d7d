//! Compiles the source to a program: one file for each kind of build. [`crate::build`] chooses one.

pub mod cargo;
pub(crate) mod command;
pub(crate) mod error;
pub(crate) mod go;
mod linkers;
pub mod program;
mod programs;
mod scarcity;
mod shown;
mod zlib;
