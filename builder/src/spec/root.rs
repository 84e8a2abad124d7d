//! `[root]`: the build root.

use serde::Deserialize;

/// The build root, made of Debian packages.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct RootSpec {
    /// The release, for example `bookworm`.
    pub suite: String,
    /// The component, for example `main`. The archive keeps packages of `main` for years, but deletes superseded security
    /// updates.
    pub component: String,
    /// The architecture, for example `amd64`.
    pub architecture: String,
    /// The packages that are needed; the lock also names their dependencies.
    pub packages: Vec<String>,
}
