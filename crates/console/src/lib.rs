//! What programs do in the same way: how they start and are interrupted.
#![forbid(unsafe_code)]

pub mod proxy;
pub mod runtime;
pub mod signals;
