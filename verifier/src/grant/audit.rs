//! Compares what Google Cloud has with a grant and with verdicts. Everything below is a function of what was read.

use std::fmt;

use chrono::{DateTime, Utc};
use console::hint::Hinted;
use serde_json::{Value, json};

use grant::Grant;

use super::live::Live;
use super::verdicts::Verdicts;

mod key;
mod members;
mod provider;
mod what;

pub use what::{Outcome, What};

/// Where something was observed.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Place {
    /// The key.
    Key,
    /// The policy of the key.
    KeyPolicy,
    /// The policy of the key's ring.
    RingPolicy,
    /// The pool.
    Pool,
    /// The providers of the pool.
    Provider,
}

/// One observation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Observation {
    /// Where.
    pub place: Place,
    /// What.
    pub what: What,
}

/// The result of an audit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Audit {
    key: String,
    pool: String,
    observations: Vec<Observation>,
}

impl Audit {
    /// Compares.
    ///
    /// # Errors
    /// The grant does not describe a provider.
    pub fn of(
        live: &Live,
        grant: &Grant,
        verdicts: Option<&Verdicts>,
        now: DateTime<Utc>,
    ) -> Result<Self, Hinted> {
        let granted = grant.provider().ok_or_else(|| {
            Hinted::new(
                "auditing: the grant has no [provider], with which the live one would be compared",
            )
            .hinting("policies/grant.toml is an example with every entry explained")
        })?;
        let at = |place| move |what| Observation { place, what };
        let members = members::Members {
            grant,
            verdicts,
            now,
        };
        let mut observations = vec![at(Place::Key)(key::check(&live.key, grant))];
        let of_key = members.check(&live.key_policy);
        observations.extend(of_key.into_iter().map(at(Place::KeyPolicy)));
        let of_ring = members.check(&live.ring_policy);
        observations.extend(of_ring.into_iter().map(at(Place::RingPolicy)));
        let unbound = members.unbound(&live.key_policy);
        observations.extend(unbound.into_iter().map(at(Place::KeyPolicy)));
        let of_pool = provider::check_pool(grant, live.pool.as_ref());
        observations.extend(of_pool.into_iter().map(at(Place::Pool)));
        let providers = provider::check(granted, &live.providers);
        observations.extend(providers.into_iter().map(at(Place::Provider)));
        Ok(Self {
            key: grant.key().to_string(),
            pool: grant.pool().to_string(),
            observations,
        })
    }

    /// Whether everything is as granted.
    pub fn is_as_granted(&self) -> bool {
        let mut observations = self.observations.iter();
        observations.all(|observed| observed.what.outcome() != Outcome::Fail)
    }

    /// How many images are bound and were compared with nothing, for lack of verdicts.
    pub fn not_compared(&self) -> usize {
        let is_unchecked =
            |observed: &&Observation| matches!(observed.what, What::Unchecked { .. });
        self.observations.iter().filter(is_unchecked).count()
    }

    /// What was observed, by place.
    pub fn observations(&self) -> &[Observation] {
        &self.observations
    }

    /// The same for programs.
    pub fn to_json(&self) -> Value {
        let observations = self.observations.iter();
        let observations = observations.map(|Observation { place, what }| {
            json!({
                "place": place.to_string(),
                "outcome": what.outcome().to_string(),
                "code": what.code(),
                "detail": what.to_string(),
            })
        });
        json!({
            "key": self.key,
            "pool": self.pool,
            "as_granted": self.is_as_granted(),
            "not_compared": self.not_compared(),
            "observations": observations.collect::<Vec<_>>(),
            "not_read": NOT_READ,
        })
    }
}

/// What an audit does not read.
const NOT_READ: &str =
    "policies of the project, its folders and its organisation, which the key inherits";

/// A line for each observation, then the result.
impl fmt::Display for Audit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Observation { place, what } in &self.observations {
            let outcome = what.outcome().to_string();
            writeln!(out, "  {:<11} {outcome:<5} {what}", place.to_string())?;
        }
        writeln!(out, "  {:<11} note  not read: {NOT_READ}", "project")?;
        match (self.is_as_granted(), self.not_compared()) {
            (true, 0) => write!(out, "as granted: {}", self.key),
            (true, count) => write!(
                out,
                "as granted, except for {count} image(s) not compared (give --verdicts): {}",
                self.key
            ),
            (false, _) => write!(out, "not as granted: {}", self.key),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Key => "key",
            Self::KeyPolicy => "key policy",
            Self::RingPolicy => "ring policy",
            Self::Pool => "pool",
            Self::Provider => "provider",
        })
    }
}

#[cfg(test)]
mod tests;
