//! The formats in which a grant and a provider are printed: one file each, and the lists [`ALL`] and [`PROVIDERS`]. What runs an
//! image is printed by [`deployment`].

pub mod deployment;
pub mod gcloud;
mod iam;
mod terraform;

use crate::admission::OidcProvider;
use crate::identity::Provider;
use crate::kms::Key;
use crate::{Member, ProjectId, Role};

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
pub const ALL: &[Output] = &[gcloud::OUTPUT, iam::OUTPUT, terraform::OUTPUT];

/// The format with this name.
pub fn named(name: &str) -> Option<&'static Output> {
    ALL.iter().find(|output| output.name == name)
}

/// A provider that is to be created, in its pool.
#[derive(Clone, Copy, Debug)]
pub struct NewProvider<'a> {
    /// The project of the pool. Commands take its ID, and members of the pool its number.
    pub project: &'a ProjectId,
    /// The name.
    pub provider: &'a Provider,
    /// Issuer, audience, mapping and condition.
    pub body: &'a OidcProvider,
}

/// A format in which a provider is printed.
#[derive(Clone, Copy, Debug)]
pub struct ProviderOutput {
    /// The name of the format on the command line.
    pub name: &'static str,
    /// A short description for help texts.
    pub about: &'static str,
    /// Prints a provider, without a line feed at the end.
    pub print: fn(&NewProvider<'_>) -> String,
}

/// All formats of a provider. The first is the default.
pub const PROVIDERS: &[ProviderOutput] = &[gcloud::PROVIDER, iam::PROVIDER, terraform::PROVIDER];

/// The format of a provider with this name.
pub fn provider_named(name: &str) -> Option<&'static ProviderOutput> {
    PROVIDERS.iter().find(|output| output.name == name)
}
