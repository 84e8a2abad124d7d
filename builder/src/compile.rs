//! Compiles the source to a program: one file for each kind of build. [`crate::build`] chooses one.

pub mod cargo;
pub(crate) mod error;
pub mod program;
