//! Names in Secret Manager (v1, "Method: projects.secrets.versions.access").

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Project;
use crate::name::{is_id, name, split};
use crate::project::positive;

/// The largest length of the ID of a secret, in characters.
const ID: usize = 255;

/// A secret, `projects/P/secrets/S`.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Secret {
    project: Project,
    id: String,
}

/// A version of a secret, `projects/P/secrets/S/versions/N`. `latest` and other aliases are no versions: anyone who may add a
/// version chooses what they mean.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretVersion {
    secret: Secret,
    number: u64,
}

name!(Secret, "projects/P/secrets/S");
name!(
    SecretVersion,
    "projects/P/secrets/S/versions/N, with a number N"
);

impl Secret {
    /// The secret with this ID; `None` if the ID is invalid.
    pub fn new(project: Project, id: &str) -> Option<Self> {
        let is_right = is_id(id, "-_") && id.len() <= ID;
        is_right.then(|| Self {
            project,
            id: id.to_owned(),
        })
    }

    fn read(text: &str) -> Option<Self> {
        let (project, id) = split(text, "secrets")?;
        let project = Project::read(project.strip_prefix("projects/")?)?;
        Self::new(project, id)
    }

    /// The version with this number; `None` if it is 0.
    pub fn version(&self, number: u64) -> Option<SecretVersion> {
        let secret = self.clone();
        (number > 0).then_some(SecretVersion { secret, number })
    }

    /// The project.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// The ID within the project.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl SecretVersion {
    fn read(text: &str) -> Option<Self> {
        let (secret, number) = split(text, "versions")?;
        Some(Self {
            secret: Secret::read(secret)?,
            number: positive(number)?,
        })
    }

    /// The secret.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The number of the version, which is positive.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether both can be the same version: Secret Manager names the project by its number, whatever the request says.
    pub fn may_be(&self, other: &Self) -> bool {
        let is_project = match (self.secret.project(), other.secret.project()) {
            (Project::Id(_), Project::Number(_)) | (Project::Number(_), Project::Id(_)) => true,
            (own, others) => own == others,
        };
        is_project && self.secret.id == other.secret.id && self.number == other.number
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "projects/{}/secrets/{}", self.project, self.id)
    }
}

impl fmt::Display for SecretVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/versions/{}", self.secret, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_may_have_the_number_of_the_project() {
        let version = |text: &str| text.parse::<SecretVersion>().unwrap();
        let own = version("projects/bank/secrets/s/versions/2");
        assert!(own.may_be(&own));
        assert!(own.may_be(&version("projects/12/secrets/s/versions/2")));
        for other in [
            "projects/other/secrets/s/versions/2",
            "projects/12/secrets/t/versions/2",
            "projects/12/secrets/s/versions/1",
        ] {
            assert!(!own.may_be(&version(other)), "{other}");
        }
    }

    #[test]
    fn a_version_is_a_number() {
        for text in [
            "projects/p/secrets/s/versions/latest",
            "projects/p/secrets/s/versions/0",
            "projects/p/secrets/s/versions/01",
            "projects/p/secrets/s/versions/1:access",
            "projects/p/secrets/s",
            "projects/p/secrets/s.t/versions/1",
            "projects/p/locations/l/secrets/s/versions/1",
        ] {
            assert!(text.parse::<SecretVersion>().is_err(), "{text}");
        }
    }
}
