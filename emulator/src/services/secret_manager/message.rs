//! Requests and answers (google/cloud/secretmanager/v1/resources.proto), as far as they are emulated.

use std::fmt;
use std::str::FromStr;

use google::InvalidName;
use google::secret as names;
use serde::{Deserialize, Serialize};

use super::annotations::Annotations;
use crate::services::Labels;

/// A secret without its content.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Secret {
    /// The name.
    pub name: names::Secret,
    /// When it was created, in Unix seconds.
    pub created: u64,
    /// Where its versions are stored.
    pub replication: Replication,
    /// What its owner notes about it.
    pub notes: Notes,
    /// Another one after each change of the secret itself, whether or not that changed anything.
    pub etag: String,
}

/// What the owner of a secret notes about it, without effect.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Notes {
    /// The labels.
    pub labels: Labels,
    /// The annotations.
    pub annotations: Annotations,
}

/// What a request updates.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SecretUpdate {
    /// The new labels.
    pub labels: Option<Labels>,
    /// The new annotations.
    pub annotations: Option<Annotations>,
}

/// Where the versions of a secret are stored. All are stored here.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Replication {
    /// Google chooses.
    Automatic,
    /// In these locations.
    UserManaged(Vec<String>),
}

/// A version of a secret without its content.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Version {
    /// The name.
    pub name: names::SecretVersion,
    /// When it was created, in Unix seconds.
    pub created: u64,
    /// When it was destroyed, in Unix seconds.
    pub destroyed: Option<u64>,
    /// Whether it can be accessed.
    pub state: State,
    /// Who made sure that the content arrived as it was sent.
    pub checked: Checked,
}

/// Whether the sender of a version has stated the checksum of its content.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Checked {
    /// It has, and it was the right one.
    BySender,
    /// It has not.
    Not,
}

/// The state of a version.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum State {
    /// It can be accessed.
    Enabled,
    /// It cannot be accessed until it is enabled.
    Disabled,
    /// Its content is gone.
    Destroyed,
}

impl State {
    /// The name of the state.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::Disabled => "DISABLED",
            Self::Destroyed => "DESTROYED",
        }
    }
}

/// The content of a version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Accessed {
    /// The name of the version.
    pub name: names::SecretVersion,
    /// The content.
    pub data: Vec<u8>,
}

/// A version as a request names it: by number, or `latest`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VersionName {
    /// The secret.
    pub secret: names::Secret,
    /// The number, or `latest`.
    pub version: String,
}

impl FromStr for VersionName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if let Some(secret) = text.strip_suffix("/versions/latest") {
            return Ok(Self {
                secret: secret.parse()?,
                version: "latest".to_owned(),
            });
        }
        let version: names::SecretVersion = text.parse()?;
        Ok(Self {
            secret: version.secret().clone(),
            version: version.number().to_string(),
        })
    }
}

impl fmt::Display for VersionName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/versions/{}", self.secret, self.version)
    }
}
