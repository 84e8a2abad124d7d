//! The formats in which a grant is printed: one file each, and [`ALL`].

pub mod gcloud;
mod iam;

use crate::kms::Key;
use crate::{Member, Role};

/// A role on a key for a member.
#[derive(Clone, Copy, Debug)]
pub struct KeyGrant<'a> {
    /// The key.
    pub key: &'a Key,
    /// The role.
    pub role: &'a Role,
    /// The member that gets the role.
    pub member: &'a Member,
}

/// A format in which a grant is printed.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// The name of the format on the command line.
    pub name: &'static str,
    /// A short description for help texts.
    pub about: &'static str,
    /// Prints a grant, without a line feed at the end.
    pub print: fn(&KeyGrant<'_>) -> String,
}

/// All formats. The first is the default.
pub const ALL: &[Output] = &[gcloud::OUTPUT, iam::OUTPUT];

/// The format with this name.
pub fn named(name: &str) -> Option<&'static Output> {
    ALL.iter().find(|output| output.name == name)
}
