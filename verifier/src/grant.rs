//! Applies a grant, plans, rotates and audits it. `grant`, the crate, has the grant itself.

pub mod apply;
pub mod audit;
pub mod plan;
pub mod rotate;
