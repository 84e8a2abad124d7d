//! Names in Pub/Sub ("Resource names").

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Project;
use crate::name::{name, split};

/// The allowed length of the ID of a topic or subscription, in characters.
const ID: std::ops::RangeInclusive<usize> = 3..=255;
/// The prefix of IDs that Google reserves.
const RESERVED: &str = "goog";

/// A topic, `projects/P/topics/T`.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Topic {
    project: Project,
    id: String,
}

/// A subscription, `projects/P/subscriptions/S`.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subscription {
    project: Project,
    id: String,
}

name!(Topic, "projects/P/topics/T");
name!(Subscription, "projects/P/subscriptions/S");

fn read(text: &str, collection: &str) -> Option<(Project, String)> {
    let (project, id) = split(text, collection)?;
    let project = Project::read(project.strip_prefix("projects/")?)?;
    is_id(id).then(|| (project, id.to_owned()))
}

fn is_id(id: &str) -> bool {
    let is_known = |c: char| c.is_ascii_alphanumeric() || "-_.~+%".contains(c);
    ID.contains(&id.len())
        && id.starts_with(|first: char| first.is_ascii_alphabetic())
        && id.chars().all(is_known)
        && !id.starts_with(RESERVED)
}

impl Topic {
    fn read(text: &str) -> Option<Self> {
        let (project, id) = read(text, "topics")?;
        Some(Self { project, id })
    }

    /// The project.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// The ID within the project.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name as part of the path of a URL.
    pub fn path(&self) -> String {
        path(self)
    }
}

impl Subscription {
    fn read(text: &str) -> Option<Self> {
        let (project, id) = read(text, "subscriptions")?;
        Some(Self { project, id })
    }

    /// The project.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// The ID within the project.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name as part of the path of a URL.
    pub fn path(&self) -> String {
        path(self)
    }
}

/// Escapes `%`, the only character of a name that has a special meaning in the path of a URL (RFC 3986 section 2.4).
fn path(name: &impl fmt::Display) -> String {
    name.to_string().replace('%', "%25")
}

impl fmt::Display for Topic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "projects/{}/topics/{}", self.project, self.id)
    }
}

impl fmt::Display for Subscription {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "projects/{}/subscriptions/{}", self.project, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percent_sign_is_escaped_in_a_path() {
        let subscription: Subscription = "projects/p/subscriptions/a%2f+".parse().unwrap();
        assert_eq!(subscription.path(), "projects/p/subscriptions/a%252f+");
        let topic: Topic = "projects/p/topics/a~b".parse().unwrap();
        assert_eq!(topic.path(), topic.to_string());
    }
}
