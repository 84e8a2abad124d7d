//! What each image with a name takes from outside.

use attest::ImageName;
use serde::{Deserialize, Serialize};

use super::base::LockedBase;
use super::packages::Package;
use super::wheels::Wheel;

/// The inputs of an image with a name, besides those of the build.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LockedImage {
    /// Its name.
    pub name: ImageName,
    /// The base image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<LockedBase>,
    /// The packages that the image contains, by name.
    #[serde(rename = "runtime", default, skip_serializing_if = "Vec::is_empty")]
    pub runtime: Vec<Package>,
    /// The Python packages that the image contains, by directory and name.
    #[serde(rename = "wheel", default, skip_serializing_if = "Vec::is_empty")]
    pub wheels: Vec<Wheel>,
}

/// What one image takes from outside.
#[derive(Clone, Debug)]
pub(crate) struct Contained {
    pub(crate) base: Option<LockedBase>,
    pub(crate) runtime: Vec<Package>,
    pub(crate) wheels: Vec<Wheel>,
}
