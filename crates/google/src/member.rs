//! The members of an IAM policy: identities of a workload identity pool.

use std::fmt;

use content::Digest;
use serde::{Deserialize, Serialize};

use crate::admission::IMAGE_DIGEST;
use crate::identity::Pool;
use crate::name::name;

/// The largest length of the name of an attribute (IAM v1, `WorkloadIdentityPoolProvider`).
const ATTRIBUTE: usize = 100;
/// The number of segments in the name of a pool.
const POOL: usize = 6;
const PRINCIPAL: &str = "principal://iam.googleapis.com/";
const PRINCIPAL_SET: &str = "principalSet://iam.googleapis.com/";

/// A member of a policy: identities of a workload identity pool (IAM, "Principal identifiers").
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Member {
    pool: Pool,
    identities: Identities,
}

/// The identities of a pool that a member includes. Texts are not empty and have no control characters.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Identities {
    /// The identity with this `google.subject`.
    Subject(String),
    /// The identities with this group in `google.groups`.
    Group(String),
    /// The identities with an attribute of this value.
    Attribute {
        /// The name of the attribute, without `attribute.`.
        name: String,
        /// The value.
        value: String,
    },
    /// All identities.
    All,
}

name!(
    Member,
    "principal://iam.googleapis.com/POOL/subject/SUBJECT or \
     principalSet://iam.googleapis.com/POOL/attribute.NAME/VALUE, /group/GROUP or /*"
);

impl Member {
    /// The identities whose image has this digest, as the TEE measured it.
    pub fn of_image(pool: Pool, digest: &Digest) -> Self {
        let identities = Identities::Attribute {
            name: IMAGE_DIGEST.to_owned(),
            value: digest.to_string(),
        };
        Self { pool, identities }
    }

    fn read(text: &str) -> Option<Self> {
        if let Some(name) = text.strip_prefix(PRINCIPAL) {
            let (pool, identities) = split_pool(name)?;
            let subject = value(identities.strip_prefix("subject/")?)?;
            let identities = Identities::Subject(subject);
            return Some(Self { pool, identities });
        }
        let (pool, identities) = split_pool(text.strip_prefix(PRINCIPAL_SET)?)?;
        let identities = read_set(identities)?;
        Some(Self { pool, identities })
    }

    /// The pool.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The identities of the pool.
    pub fn identities(&self) -> &Identities {
        &self.identities
    }
}

fn split_pool(name: &str) -> Option<(Pool, &str)> {
    let (end, _) = name.match_indices('/').nth(POOL - 1)?;
    Some((Pool::read(&name[..end])?, &name[end + 1..]))
}

fn read_set(text: &str) -> Option<Identities> {
    if text == "*" {
        return Some(Identities::All);
    }
    if let Some(group) = text.strip_prefix("group/") {
        return value(group).map(Identities::Group);
    }
    let (name, text) = text.strip_prefix("attribute.")?.split_once('/')?;
    let is_known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let is_name = (1..=ATTRIBUTE).contains(&name.len()) && name.bytes().all(is_known);
    Some(Identities::Attribute {
        name: is_name.then(|| name.to_owned())?,
        value: value(text)?,
    })
}

fn value(text: &str) -> Option<String> {
    (!text.is_empty() && !text.contains(char::is_control)).then(|| text.to_owned())
}

impl fmt::Display for Member {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pool = &self.pool;
        match &self.identities {
            Identities::Subject(subject) => write!(out, "{PRINCIPAL}{pool}/subject/{subject}"),
            Identities::Group(group) => write!(out, "{PRINCIPAL_SET}{pool}/group/{group}"),
            Identities::Attribute { name, value } => {
                write!(out, "{PRINCIPAL_SET}{pool}/attribute.{name}/{value}")
            }
            Identities::All => write!(out, "{PRINCIPAL_SET}{pool}/*"),
        }
    }
}
