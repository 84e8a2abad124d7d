//! Publishes an image in a registry, signs it, and signs statements about it.

mod attest;
mod error;
mod keygen;
pub mod push;
mod sign;

pub use attest::attest;
pub use error::SignError;
pub use keygen::keygen;
pub use sign::sign;
