//! Names of Compute Engine (Compute Engine v1, "Naming resources").

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::{is_lower_id, name};

/// The largest length of a name (RFC 1035 section 2.3.4).
const NAME: usize = 63;

/// The name of an instance, a network or another resource: at most 63 lower-case letters, digits and hyphens, beginning with
/// a letter and not ending with a hyphen.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourceName(String);

/// A zone, such as `us-central1-a`. Which zones exist is not checked: it changes.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    region: String,
    letter: String,
}

/// A machine type, such as `c3-standard-4`. Which types exist is not checked.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct MachineType(String);

name!(
    ResourceName,
    "a name of lower-case letters, digits and hyphens"
);
name!(Zone, "a zone, such as us-central1-a");
name!(MachineType, "a machine type, such as c3-standard-4");

fn is_resource(text: &str) -> bool {
    is_lower_id(text, "-")
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.len() <= NAME
}

impl ResourceName {
    fn read(text: &str) -> Option<Self> {
        is_resource(text).then(|| Self(text.to_owned()))
    }
}

impl MachineType {
    /// A type that is known to be one.
    pub(crate) fn known(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    fn read(text: &str) -> Option<Self> {
        is_resource(text).then(|| Self(text.to_owned()))
    }
}

impl Zone {
    fn read(text: &str) -> Option<Self> {
        let (region, letter) = text.rsplit_once('-')?;
        let is_zone = is_resource(text) && is_resource(region) && region.contains('-');
        is_zone.then(|| Self {
            region: region.to_owned(),
            letter: letter.to_owned(),
        })
    }

    /// The region, such as `us-central1`.
    pub fn region(&self) -> &str {
        &self.region
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Display for MachineType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.region, self.letter)
    }
}
