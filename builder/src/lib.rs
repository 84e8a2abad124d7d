//! Builds a container image from source, so that everyone gets the same bytes, and publishes it.
#![forbid(unsafe_code)]

pub mod archive;
pub mod assemble;
pub mod build;
pub mod compile;
mod contents;
mod deb;
pub mod describe;
pub mod error;
mod host;
pub mod interrupt;
pub mod lock;
mod output;
pub mod push;
mod root;
pub mod sandbox;
mod settle;
pub mod sign;
pub mod spec;
pub mod store;
pub mod time;
mod told;
mod tree;
