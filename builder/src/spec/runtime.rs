//! `[runtime]`: the Debian packages that the image contains.

use serde::Deserialize;

/// Debian packages whose files the image contains.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct RuntimeSpec {
    /// The packages; their dependencies are added.
    pub packages: Vec<String>,
    /// Dependencies that are left out, with what only they need.
    #[serde(default)]
    pub exclude: Vec<String>,
}
