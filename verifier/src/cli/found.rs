//! Where the image is that the user named.

use console::arguments;
use console::hint::Hinted;
use grant::Grant;
use oci::{Reference, Repository, Target};
use remote::{Registry, Transport};
use verifier::Error;
use verifier::place::{Cause, Named, Place, Saved};
use verifier::policy::Policy;

/// The repository of a saved image without a policy.
const NO_REPOSITORY: &str = "saved.invalid/image";

/// The image that the user named.
pub struct Found {
    /// Its reference. A saved image is named by the repository of the policy, or by none.
    pub reference: Reference,
    held: Held,
    evidence: Vec<Registry>,
}

/// Where it is.
enum Held {
    Registry(Box<Registry>),
    Saved(Box<Saved>),
}

impl Found {
    /// Connects to the registry, or opens the layout. A saved image has the repository of the policy. Evidence is in the repositories that the
    /// policy names, and in those that the grant names, if there is one.
    pub async fn open(
        named: &Named,
        policy: &Policy,
        grant: Option<&Grant>,
        arguments: &arguments::Registry,
    ) -> Result<Self, Error> {
        let mut found = Self::open_in(named, policy.repository(), arguments).await?;
        let of_grant = grant.map_or(&[][..], Grant::evidence);
        let further = of_grant
            .iter()
            .filter(|name| **name != *policy.repository() && !policy.evidence().contains(name));
        for repository in policy.evidence().iter().chain(further) {
            found.evidence.push(connect(repository, arguments).await?);
        }
        Ok(found)
    }

    /// As [`Self::open`], without a policy. A saved image has no repository then: its name stands for none (RFC 6761, `.invalid`).
    pub async fn open_alone(named: &Named, arguments: &arguments::Registry) -> Result<Self, Error> {
        let none = NO_REPOSITORY.parse();
        let none = none.map_err(|error: oci::Error| Hinted::from_error(error))?;
        Self::open_in(named, &none, arguments).await
    }

    async fn open_in(
        named: &Named,
        repository: &Repository,
        arguments: &arguments::Registry,
    ) -> Result<Self, Error> {
        let location = match named {
            Named::Registry(reference) => {
                let registry = connect(&reference.repository, arguments).await?;
                return Ok(Self {
                    reference: reference.clone(),
                    held: Held::Registry(Box::new(registry)),
                    evidence: Vec::new(),
                });
            }
            Named::Saved(location) => location.clone(),
        };
        let saved = crate::cli::files::blocking(move || Ok(Saved::open(&location)?)).await?;
        Ok(Self {
            reference: Reference {
                repository: repository.clone(),
                target: Target::Digest(saved.image()),
            },
            held: Held::Saved(Box::new(saved)),
            evidence: Vec::new(),
        })
    }

    /// The other repositories of the policy.
    pub fn evidence(&self) -> &[Registry] {
        &self.evidence
    }

    /// Where the image is.
    pub fn place(&self) -> Place<'_> {
        match &self.held {
            Held::Registry(registry) => Place::Registry(registry),
            Held::Saved(saved) => Place::Saved(saved),
        }
    }
}

/// Connects to a repository.
pub async fn connect(
    repository: &Repository,
    arguments: &arguments::Registry,
) -> Result<Registry, Error> {
    let failed = |source| Cause::Registry(source).doing(format_args!("connecting to {repository}"));
    let transport = match arguments.plain_http {
        true => Transport::PlainHttp,
        false => Transport::https(arguments.ca.as_deref())
            .await
            .map_err(failed)?,
    };
    Ok(Registry::connect(repository, &transport).map_err(failed)?)
}
