//! Capsules: all inputs that a lock names, in one OCI artifact (`docs/capsule.md`). A capsule is untrusted, as a registry is: its
//! inputs are found by the digests in the lock, and checked as if they had been fetched.

mod assemble;
pub(super) mod bundle;
mod load;
mod name;
pub(super) mod opened;
mod parts;
mod piece;
mod write;

pub(super) use assemble::{Annotated, assemble};
pub use assemble::{Assembled, Blob};
pub(super) use load::{load, load_indexes};
pub use name::CapsuleName;
pub use opened::Capsule;
pub(super) use parts::files;

#[cfg(test)]
mod tests;
