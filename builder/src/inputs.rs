//! Inputs from outside, by kind: [`debian`] packages, crates of the public registry ([`cargo`]), modules of
//! Go ([`go`]), Python packages ([`wheels`]) and the source ([`git`]). Each kind is resolved, fetched, checked and unpacked; the [`store`] keeps what was fetched.

pub mod archive;
mod base;
mod capsule;
pub mod cargo;
mod compiler;
pub mod debian;
mod error;
mod faults;
mod gather;
pub mod git;
pub mod go;
mod lanes;
mod members;
mod needed;
pub(crate) mod normalize;
mod obtain;
mod pack;
mod resolve;
pub mod store;
mod supply;
mod text;
mod tree;
mod unpack;
mod wanted;
pub mod wheels;
mod zip;

pub use base::BaseImage;
pub use capsule::{Assembled, Blob, Capsule, CapsuleName};
pub use error::DependencyError;
pub use gather::{ImageInputs, Inputs, Ready, gather};
pub use needed::{Needed, needed};
pub use pack::pack;
pub use resolve::{resolve, write_lock};
pub use supply::Supply;
pub use wanted::{Image, Named, Wanted};
