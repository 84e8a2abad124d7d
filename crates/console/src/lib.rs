//! What all programs share on the command line.
#![forbid(unsafe_code)]

pub mod proxy;
