//! Publishes an image in a registry, signs it, and signs statements about it.

mod attach;
mod attach_sbom;
mod attest;
mod keygen;
pub mod payload;
pub mod push;
mod sign;
pub mod tree;

pub use attach::attach;
pub use attach_sbom::attach_sbom;
pub use attest::{attest, attest_certified, read as read_predicate};
pub use keygen::keygen;
pub use sign::{sign, sign_certified};
