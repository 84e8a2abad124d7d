//! Applies a grant. `grant`, the crate, has the grant itself.

pub mod apply;
