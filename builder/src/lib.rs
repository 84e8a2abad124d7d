//! Builds a container image from source, so that each machine makes the same bytes, and publishes it.
#![forbid(unsafe_code)]

pub use console::at;
pub mod build;
pub mod compile;
pub mod deploy;
mod elsewhere;
pub mod error;
mod fresh;
mod host;
pub mod image;
pub mod init;
pub mod inputs;
pub mod interrupt;
pub mod lock;
pub mod order;
pub mod publish;
pub mod sandbox;
pub mod spec;
mod untrusted;
