//! Names of workload identity federation (IAM v1, `workloadIdentityPools.create` and
//! `providers.create`).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ProjectNumber;
use crate::name::{is_lower_id, name, split};

/// The allowed length of the ID of a pool or provider, in characters.
const ID: std::ops::RangeInclusive<usize> = 4..=32;
/// The prefix of IDs that Google reserves.
const RESERVED: &str = "gcp-";
/// The service that the full name of a provider begins with.
const SERVICE: &str = "//iam.googleapis.com/";

/// A workload identity pool, `projects/NUMBER/locations/global/workloadIdentityPools/POOL`. IAM knows
/// members of a pool by the number of its project; with the ID, a policy would admit none.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pool {
    project: ProjectNumber,
    id: String,
}

/// A provider of a pool, `POOL/providers/PROVIDER`.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Provider {
    pool: Pool,
    id: String,
}

name!(
    Pool,
    "projects/NUMBER/locations/global/workloadIdentityPools/POOL"
);
name!(
    Provider,
    "projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER"
);

fn id(text: &str) -> Option<String> {
    let is_right =
        is_lower_id(text, "-") && ID.contains(&text.len()) && !text.starts_with(RESERVED);
    is_right.then(|| text.to_owned())
}

impl Pool {
    /// The pool with this ID; `None` if the ID is invalid.
    pub fn new(project: ProjectNumber, id: &str) -> Option<Self> {
        let id = self::id(id)?;
        Some(Self { project, id })
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        let (location, id) = split(text, "workloadIdentityPools")?;
        let (project, location) = split(location, "locations")?;
        let project = ProjectNumber::read(project.strip_prefix("projects/")?)?;
        Self::new(project, id).filter(|_| location == "global")
    }

    /// The project.
    pub fn project(&self) -> ProjectNumber {
        self.project
    }

    /// The ID within the project.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Provider {
    /// The provider with this ID; `None` if the ID is invalid.
    pub fn new(pool: Pool, id: &str) -> Option<Self> {
        let id = self::id(id)?;
        Some(Self { pool, id })
    }

    fn read(text: &str) -> Option<Self> {
        let (pool, id) = split(text, "providers")?;
        Self::new(Pool::read(pool)?, id)
    }

    /// Parses the audience of a token exchange: `//iam.googleapis.com/` and the name of the provider (STS
    /// v1, method `token`). `None` for other audiences.
    pub fn from_audience(text: &str) -> Option<Self> {
        Self::read(text.strip_prefix(SERVICE)?)
    }

    /// The audience of a token exchange.
    pub fn audience(&self) -> String {
        format!("{SERVICE}{self}")
    }

    /// The pool.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The ID within the pool.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { project, id } = self;
        write!(
            out,
            "projects/{project}/locations/global/workloadIdentityPools/{id}"
        )
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/providers/{}", self.pool, self.id)
    }
}
