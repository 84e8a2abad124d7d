//! How a container of an image starts.

use std::collections::BTreeMap;

use oci::ImageRef;

/// How a container of the image starts (OCI image specification, config.md).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StartSpec {
    /// The image below this one.
    pub base: Option<ImageRef>,
    /// The program and its fixed arguments. Without them, those of the base are used.
    pub entrypoint: Vec<String>,
    /// Further arguments, which a launch policy may allow to be overridden.
    pub cmd: Vec<String>,
    /// The environment.
    pub env: BTreeMap<String, String>,
    /// Labels, among them the launch policy.
    pub labels: BTreeMap<String, String>,
    /// User and group.
    pub user: Option<String>,
    /// The working directory.
    pub working_dir: Option<String>,
}
