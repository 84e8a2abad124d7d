//! The programs of the host that a build calls before the network is cut: git, cargo, go, pip and gpgv.
//!
//! Their output is not trusted: it is compared with digests. They run outside the sandbox on untrusted sources, so a
//! source must not be able to make them run a program.

mod cargo;
mod error;
mod git;
mod go;
mod gpgv;
mod limited;
mod pip;
mod run;

pub use cargo::{Cargo, Patience};
pub use error::HostError;
pub use git::{git, git_fetch, git_objects, git_status};
pub use go::{go_download, go_proxies};
pub use gpgv::gpgv;
pub use pip::pip_index;
