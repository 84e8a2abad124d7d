//! Inputs from outside, by kind: [`debian`] packages, crates of the public registry ([`cargo`]), modules of
//! Go ([`go`]), Python packages ([`wheels`]) and the source ([`git`]). Each kind is resolved, fetched, checked and unpacked; the [`store`] keeps what was fetched.

pub mod archive;
mod base;
pub mod cargo;
mod compiler;
pub mod debian;
mod faults;
mod gather;
pub mod git;
pub mod go;
mod lanes;
pub(crate) mod normalize;
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
pub use gather::{Inputs, Ready, gather};
pub use resolve::{resolve, write_lock};
pub use supply::Supply;
pub use wanted::{Named, Wanted};
