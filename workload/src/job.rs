//! What is computed.

pub mod count;
