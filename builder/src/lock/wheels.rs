//! Python packages as locks name them: one wheel for each requirement.

mod name;

use std::path::PathBuf;

use content::Digest;
use serde::{Deserialize, Serialize};

pub use name::{InvalidWheel, ProjectName, WheelFile, WheelVersion};

/// Maximum size of a wheel, in bytes.
pub(crate) const WHEEL: u64 = 1 << 30;

/// A wheel that the image contains.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Wheel {
    /// The directory of the image that it is unpacked in.
    pub path: PathBuf,
    /// The name of the project, as names are compared.
    pub name: ProjectName,
    /// The version, as the wheel itself has it.
    pub version: WheelVersion,
    /// The name of the file in the index, which has the tags of the Python that it is for.
    pub file: WheelFile,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// Its size in bytes.
    #[serde(deserialize_with = "crate::lock::size::at_most::<{ WHEEL }, _>")]
    pub size: u64,
}
