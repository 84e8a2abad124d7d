//! Crates of the public registry and of git repositories: `Cargo.lock` names them. Of those of the registry, cargo fetches their archives, and this program checks and
//! unpacks the archives. (Cargo accepts a vendored folder whose files and checksums were both changed.)

mod absent;
mod archive;
mod cargo_lock;
mod git_source;
mod obtain;
mod registry;
mod vendor;

pub use cargo_lock::CargoLock;
pub(in crate::inputs) use cargo_lock::ELSEWHERE;
pub use git_source::GitSource;
pub use obtain::RegistryCheck;
pub(in crate::inputs) use obtain::{check_commits, complete, fetch, rust_versions};
pub(in crate::inputs) use vendor::{vendor, vendored};
