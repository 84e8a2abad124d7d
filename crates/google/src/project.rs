//! Projects in names of resources, by ID or number.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::{is_lower_id, name};

/// The largest length of a project ID without its domain (Resource Manager, `Project.project_id`).
const ID: usize = 30;
/// The largest length of a domain (RFC 1035 section 2.3.4).
const DOMAIN: usize = 253;

/// A project in the name of a resource.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Project {
    /// By its ID.
    Id(ProjectId),
    /// By its number.
    Number(ProjectNumber),
}

/// The ID of a project: at most 30 lower-case letters, digits and hyphens, beginning with a letter and not
/// ending with a hyphen. The ID may be scoped to a domain, as in `example.com:project`. The minimum of six
/// characters applies to new projects and is not checked.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProjectId(String);

/// The number of a project, which is positive.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProjectNumber(u64);

name!(Project, "the ID or number of a project");
name!(ProjectId, "the ID of a project");
name!(ProjectNumber, "the number of a project");

impl Project {
    pub(crate) fn read(text: &str) -> Option<Self> {
        let number = ProjectNumber::read(text).map(Self::Number);
        number.or_else(|| ProjectId::read(text).map(Self::Id))
    }
}

impl ProjectId {
    fn read(text: &str) -> Option<Self> {
        let id = match text.split_once(':') {
            Some((domain, id)) => is_domain(domain).then_some(id)?,
            None => text,
        };
        let is_right = is_lower_id(id, "-")
            && id.starts_with(|first: char| first.is_ascii_lowercase())
            && !id.ends_with('-')
            && id.len() <= ID;
        is_right.then(|| Self(text.to_owned()))
    }
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| is_lower_id(label, "-") && !label.ends_with('-');
    text.len() <= DOMAIN && text.contains('.') && text.split('.').all(is_label)
}

impl ProjectNumber {
    pub(crate) fn read(text: &str) -> Option<Self> {
        positive(text).map(Self)
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

/// A positive number without a sign and leading zeros.
pub(crate) fn positive(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    is_plain.then(|| text.parse().ok())?
}

impl fmt::Display for Project {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(out),
            Self::Number(number) => number.fmt(out),
        }
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Display for ProjectNumber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}
