//! Service accounts.

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::ProjectId;
use crate::name::{is_lower_id, name};

/// The end of the address of an account that belongs to a project by its ID.
const OF_PROJECT: &str = ".iam.gserviceaccount.com";
/// The end of every other address.
const OTHER: &str = ".gserviceaccount.com";
/// The largest length of an account's ID. Those of services are longer than new ones.
const ID: usize = 63;
/// The lengths of the IDs of new accounts.
const NEW: RangeInclusive<usize> = 6..=30;

/// A service account by its address, `ACCOUNT@PROJECT.iam.gserviceaccount.com`, or that of a service,
/// `ACCOUNT@SERVICE.gserviceaccount.com`.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceAccount {
    id: String,
    domain: String,
    project: Option<ProjectId>,
}

name!(
    ServiceAccount,
    "a service account, ACCOUNT@PROJECT.iam.gserviceaccount.com"
);

impl ServiceAccount {
    fn read(text: &str) -> Option<Self> {
        let (id, domain) = text.split_once('@')?;
        let is_id = is_lower_id(id, "-") && id.len() <= ID;
        let owner = domain.strip_suffix(OTHER)?;
        let is_domain = owner.split('.').all(|label| is_lower_id(label, "-"));
        (is_id && is_domain).then(|| Self {
            id: id.to_owned(),
            domain: domain.to_owned(),
            project: domain.strip_suffix(OF_PROJECT).and_then(project),
        })
    }

    /// Whether IAM creates accounts with such an ID: of 6 to 30 characters, a letter first and no hyphen last (IAM API,
    /// `projects.serviceAccounts.create`, `accountId`). Google's services have others.
    pub fn can_be_created(&self) -> bool {
        let begins = self
            .id
            .starts_with(|first: char| first.is_ascii_lowercase());
        begins && !self.id.ends_with('-') && NEW.contains(&self.id.len())
    }

    /// The part before the `@`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The project that the account belongs to, if the address has its ID.
    pub fn project(&self) -> Option<&ProjectId> {
        self.project.as_ref()
    }
}

/// The project `example.com:project` is `project.example.com` in an address.
fn project(text: &str) -> Option<ProjectId> {
    let scoped = text
        .split_once('.')
        .map(|(id, domain)| format!("{domain}:{id}"));
    scoped.as_deref().unwrap_or(text).parse().ok()
}

impl fmt::Display for ServiceAccount {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}@{}", self.id, self.domain)
    }
}
