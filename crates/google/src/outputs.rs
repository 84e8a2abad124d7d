//! The formats in which a grant and a provider are printed: one file each, and the lists [`ALL`] and [`PROVIDERS`]. What runs an
//! image is printed by [`deployment`].

pub mod deployment;
pub mod gcloud;
mod iam;
mod openbao;
mod terraform;
pub mod vault;
pub mod vpc_sc;

use content::Digest;

use self::vault::Vault;
use self::vpc_sc::Perimeter;
use crate::admission::{Admission, OidcProvider};
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

/// A grant for one image, and all that a format may have to say about it.
#[derive(Clone, Copy, Debug)]
pub struct ImageGrant<'a> {
    /// The role on the key.
    pub granted: KeyGrant<'a>,
    /// The digest of the image.
    pub image: &'a Digest,
    /// The rest of the description.
    pub settings: Settings<'a>,
}

/// The parts of a grant's description that not every format needs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings<'a> {
    /// Who is admitted.
    pub provider: Option<NewProvider<'a>>,
    /// Roles of Vault and OpenBao.
    pub vault: Option<&'a Vault>,
    /// The perimeter around the key.
    pub perimeter: Option<&'a Perimeter>,
}

/// A provider that is to be created, in its pool.
#[derive(Clone, Copy, Debug)]
pub struct NewProvider<'a> {
    /// The project of the pool. Commands take its ID, and members of the pool its number.
    pub project: &'a ProjectId,
    /// The name.
    pub provider: &'a Provider,
    /// The requirements that the condition states.
    pub admission: &'a Admission,
    /// Issuer, audience, mapping and condition.
    pub body: &'a OidcProvider,
}

/// A printed grant or provider.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Printed {
    /// The text, without a line feed at the end.
    pub text: String,
    /// What the format cannot say, and what its reader must do.
    pub notes: Vec<&'static str>,
}

impl Printed {
    fn plain(text: String) -> Self {
        let notes = Vec::new();
        Self { text, notes }
    }
}

/// Why a grant cannot be printed in a format.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unprintable {
    /// The format needs `[provider]`.
    #[error("the grant has no [provider]")]
    Provider,
    /// The format needs `[vault]`.
    #[error("the grant has no [vault]")]
    Vault,
    /// The format needs `[vpc_sc]`.
    #[error("the grant has no [vpc_sc]")]
    Perimeter,
    /// The number of the key's project is not known.
    #[error("the number of the key's project is not known")]
    KeyProject,
    /// A role of Vault would admit overrides.
    #[error(
        "Vault cannot require that a claim is absent: its role would admit an image whose command or environment the operator \
         has overridden"
    )]
    Overrides,
}

impl Unprintable {
    /// What the user can do, on one line.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Provider | Self::Vault | Self::Perimeter => {
                "policies/grant.toml is an example with every entry explained"
            }
            Self::KeyProject => "add `key_project` with the number to [vpc_sc]",
            Self::Overrides => {
                "use OpenBao and --format openbao, or, for images whose launch policy forbids overrides, add \
                 accepts_overrides = true to [vault]"
            }
        }
    }
}

/// A format in which a grant is printed.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// The name of the format on the command line.
    pub name: &'static str,
    /// A short description for help texts.
    pub about: &'static str,
    /// Prints a grant.
    pub print: fn(&ImageGrant<'_>) -> Result<Printed, Unprintable>,
}

/// All formats. The first is the default.
pub const ALL: &[Output] = &[
    gcloud::OUTPUT,
    iam::OUTPUT,
    terraform::OUTPUT,
    vault::OUTPUT,
    openbao::OUTPUT,
    vpc_sc::OUTPUT,
    vpc_sc::TERRAFORM,
];

/// The format with this name.
pub fn named(name: &str) -> Option<&'static Output> {
    ALL.iter().find(|output| output.name == name)
}

/// A format in which a provider is printed.
#[derive(Clone, Copy, Debug)]
pub struct ProviderOutput {
    /// The name of the format on the command line.
    pub name: &'static str,
    /// A short description for help texts.
    pub about: &'static str,
    /// Prints a provider.
    pub print: fn(&NewProvider<'_>, &Settings<'_>) -> Result<Printed, Unprintable>,
}

/// All formats of a provider. The first is the default.
pub const PROVIDERS: &[ProviderOutput] = &[
    gcloud::PROVIDER,
    iam::PROVIDER,
    terraform::PROVIDER,
    vault::PROVIDER,
    openbao::PROVIDER,
    vpc_sc::PROVIDER,
    vpc_sc::TERRAFORM_PROVIDER,
];

/// The format of a provider with this name.
pub fn provider_named(name: &str) -> Option<&'static ProviderOutput> {
    PROVIDERS.iter().find(|output| output.name == name)
}
