//! The names of IAM roles.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::{is_id, name, split};
use crate::{Project, ProjectNumber};

/// The allowed length of the ID of a custom role, in characters (IAM v1, `roles.create`).
const CUSTOM_ID: std::ops::RangeInclusive<usize> = 3..=64;
/// The largest length of the ID of a predefined role. Google states none.
const PREDEFINED_ID: usize = 128;

/// A role: `roles/NAME`, `projects/P/roles/NAME` or `organizations/NUMBER/roles/NAME`. Whether the role
/// exists, and its permissions, are not checked.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Role(String);

name!(
    Role,
    "roles/NAME, projects/P/roles/NAME or organizations/NUMBER/roles/NAME"
);

impl Role {
    fn read(text: &str) -> Option<Self> {
        let is_role = match text.strip_prefix("roles/") {
            Some(id) => is_id(id, ".") && id.len() <= PREDEFINED_ID,
            None => is_custom(text),
        };
        is_role.then(|| Self(text.to_owned()))
    }

    /// The name of the role.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of a predefined role without `roles/`; `None` for custom roles, whose permissions their
    /// owner defines.
    pub fn predefined(&self) -> Option<&str> {
        self.0.strip_prefix("roles/")
    }
}

fn is_custom(text: &str) -> bool {
    let Some((owner, id)) = split(text, "roles") else {
        return false;
    };
    let is_owner = match owner.split_once('/') {
        Some(("projects", project)) => Project::read(project).is_some(),
        Some(("organizations", number)) => ProjectNumber::read(number).is_some(),
        _ => false,
    };
    is_owner && is_id(id, "._") && CUSTOM_ID.contains(&id.len())
}

impl fmt::Display for Role {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
