//! Publishes an image in a registry, signs it, and signs statements about it.

mod attach;
mod attach_sbom;
mod attest;
pub mod capsule;
mod keygen;
pub mod payload;
pub mod push;
mod resolve;
mod sign;
pub mod tree;
pub mod whole;

pub use attach::attach;
pub use attach_sbom::attach_sbom;
pub use attest::{attest, attest_certified, read as read_predicate};
pub use keygen::{Made, keygen};
pub(crate) use resolve::resolve;
pub use sign::{sign, sign_certified};
