//! The name of a location, `projects/P/locations/L`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Project;
use crate::name::{is_lower_id, name, split};

/// The largest length of a location ID. Google states none; the longest have 25 characters.
const ID: usize = 63;

/// A location of a project, `projects/P/locations/L`. Which locations exist is not checked: it changes.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Location {
    project: Project,
    id: String,
}

name!(Location, "projects/P/locations/L");

impl Location {
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (project, id) = split(text, "locations")?;
        let project = Project::read(project.strip_prefix("projects/")?)?;
        let id = (is_lower_id(id, "-") && id.len() <= ID).then(|| id.to_owned())?;
        Some(Self { project, id })
    }

    /// The project.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// The ID of the location, such as `global`.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for Location {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "projects/{}/locations/{}", self.project, self.id)
    }
}
