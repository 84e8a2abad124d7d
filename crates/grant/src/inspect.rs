//! Compares what is live with a grant and with verdicts: the one judgement of who may use a key. The program that prints it only decides
//! which findings matter to its question.

mod finding;
mod key;
mod member;
mod pool;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use content::Digest;

use crate::document::Grant;
use crate::live::{Level, Live, Policy};
use crate::provider::GrantedProvider;
use crate::verdicts::Verdicts;

pub use finding::{Finding, Outcome, Setting};
use member::Members;

/// Where something was found.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Place {
    /// The key.
    Key,
    /// The policy of the key.
    KeyPolicy,
    /// The policy of the key's ring.
    RingPolicy,
    /// The policy of what the key's project is in, or of the project itself.
    Above(Level),
    /// The pool.
    Pool,
    /// The providers of the pool.
    Provider,
}

/// One finding, and where it was made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Observation {
    /// Where.
    pub place: Place,
    /// The resource, if the place does not say which.
    pub resource: Option<String>,
    /// What.
    pub finding: Finding,
}

/// The grant has no `[provider]`: it is unknown who is admitted to its pool.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the grant has no [provider], so that it is unknown who is admitted to its pool")]
pub struct NoProviderDescribed;

impl NoProviderDescribed {
    /// What the user can do.
    pub fn hint(&self) -> &'static str {
        crate::EXAMPLE
    }
}

/// What is compared with what is live.
#[derive(Clone, Copy, Debug)]
pub struct Inspection<'a> {
    /// The grant.
    pub grant: &'a Grant,
    /// Which images were approved; `None` leaves it open.
    pub verdicts: Option<&'a Verdicts>,
    /// The time.
    pub now: DateTime<Utc>,
}

impl Inspection<'_> {
    /// The provider that the grant describes, so that an error comes before anything is read.
    ///
    /// # Errors
    /// The grant does not describe a provider.
    pub fn granted(&self) -> Result<&GrantedProvider, NoProviderDescribed> {
        self.grant.provider().ok_or(NoProviderDescribed)
    }

    /// Compares everything.
    ///
    /// # Errors
    /// The grant does not describe a provider.
    pub fn of(&self, live: &Live) -> Result<Vec<Observation>, NoProviderDescribed> {
        let granted = self.granted()?;
        let mut all = vec![at(Place::Key, key::check(self.grant, &live.key))];
        let members = |policy| self.members(live).check(policy);
        let found = members(&live.key_policy).into_iter();
        all.extend(found.map(|finding| at(Place::KeyPolicy, finding)));
        let found = members(&live.ring_policy).into_iter();
        all.extend(found.map(|finding| at(Place::RingPolicy, finding)));
        for above in &live.above {
            let found = match &above.policy {
                Ok(policy) => members(policy),
                Err(unread) => vec![Finding::Unread(unread.clone())],
            };
            all.extend(found.into_iter().map(|finding| Observation {
                place: Place::Above(above.level),
                resource: Some(above.name.clone()),
                finding,
            }));
        }
        let unbound = self.unbound(live).into_iter();
        all.extend(unbound.map(|finding| at(Place::KeyPolicy, finding)));
        all.push(at(Place::Pool, pool::check(self.grant, live.pool.as_ref())));
        let found = pool::check_providers(granted, &live.providers).into_iter();
        all.extend(found.map(|finding| at(Place::Provider, finding)));
        Ok(all)
    }

    /// Compares everything for data that only one image should decrypt. It must have the role of the grant in the policy of the key: at all
    /// times, or under a window that has not ended.
    ///
    /// # Errors
    /// The grant does not describe a provider.
    pub fn for_image(
        &self,
        live: &Live,
        image: &Digest,
    ) -> Result<Vec<Observation>, NoProviderDescribed> {
        let mut all = self.of(live)?;
        if !self.members(live).is_bound(&live.key_policy, image) {
            let missing = Finding::Missing {
                image: *image,
                role: self.grant.role().clone(),
            };
            all.insert(0, at(Place::KeyPolicy, missing));
        }
        Ok(all)
    }

    /// The images that were approved and may not decrypt.
    fn unbound(&self, live: &Live) -> Vec<Finding> {
        let approved = self.verdicts.into_iter().flat_map(Verdicts::standing);
        let unbound = approved.filter(|image| !is_named(self.grant, &live.key_policy, image));
        unbound
            .map(|image| Finding::Unbound { image: *image })
            .collect()
    }

    fn members<'a>(&'a self, live: &'a Live) -> Members<'a> {
        Members {
            grant: self.grant,
            verdicts: self.verdicts,
            roles: &live.roles,
            now: self.now,
        }
    }
}

/// Whether a policy has a binding of an image, for any role and time.
fn is_named(grant: &Grant, policy: &Policy, image: &Digest) -> bool {
    let member = grant.member(image).to_string();
    let mut bindings = policy.bindings.iter();
    bindings.any(|binding| binding.members.contains(&member))
}

fn at(place: Place, finding: Finding) -> Observation {
    Observation {
        place,
        resource: None,
        finding,
    }
}

/// What the key inherits is named where the place does not say which resource it is.
impl std::fmt::Display for Observation {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.resource, &self.finding) {
            (Some(resource), Finding::Unread(_)) => write!(out, "{resource}: {}", self.finding),
            (Some(resource), _) => write!(out, "in {resource}: {}", self.finding),
            (None, _) => self.finding.fmt(out),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Key => "key",
            Self::KeyPolicy => "key policy",
            Self::RingPolicy => "ring policy",
            Self::Above(Level::Project) => "project",
            Self::Above(Level::Folder) => "folder",
            Self::Above(Level::Organization) => "organization",
            Self::Pool => "pool",
            Self::Provider => "provider",
        })
    }
}
