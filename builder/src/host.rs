//! The programs of the host that a build calls before the network is cut: git, cargo and gpgv.
//!
//! Their output is compared with digests and not trusted. They run outside of the sandbox, on sources of other people, so
//! a source must not be able to name a program for them to run.

mod cargo;
mod error;
mod git;
mod gpgv;
mod run;

pub use cargo::{Cargo, Patience};
pub use error::HostError;
pub use git::{git, git_objects, git_status};
pub use gpgv::gpgv;
