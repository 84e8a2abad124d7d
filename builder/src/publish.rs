//! Publishes an image in a registry, signs it, and signs statements about it.

mod attest;
mod keygen;
pub mod push;
mod sign;

pub use attest::attest;
pub use keygen::keygen;
pub use sign::sign;
