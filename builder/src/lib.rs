//! Builds a container image from source, so that everyone gets the same bytes.
#![forbid(unsafe_code)]

pub mod compile;
pub mod interrupt;
pub mod sandbox;
