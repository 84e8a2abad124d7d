//! What the programs do alike before and around their work.
#![forbid(unsafe_code)]

pub mod proxy;
