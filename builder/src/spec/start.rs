//! `[image]`: how a container starts.

use std::collections::BTreeMap;

use serde::Deserialize;

/// How a container of the image starts (OCI image specification, config.md).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct StartSpec {
    /// The program and its fixed arguments.
    pub entrypoint: Vec<String>,
    /// Further arguments, which a launch policy may allow to be overridden.
    #[serde(default)]
    pub cmd: Vec<String>,
    /// The environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Labels, among them the launch policy.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// User and group.
    #[serde(default)]
    pub user: Option<String>,
    /// The working directory.
    #[serde(default)]
    pub working_dir: Option<String>,
}
