//! An image to a registry, with what is signed about it.

pub mod push;
pub mod sign;
