//! Reads everything that an inspection of a grant compares. Nothing is written.

use std::collections::BTreeSet;

use console::hint::Hinted;
use google::Role;
use grant::Grant;
use grant::live::{Live, Policy};
use grant::role::{Power, Roles};

use crate::policies::{Policies, live};
use crate::pools::Pools;
use crate::resources::Resources;

/// How many roles are looked up at the most. Those beyond stay unknown, which counts as decryption.
const ROLES: usize = 200;

/// The services that know who may use a key.
#[derive(Clone, Debug)]
pub struct Cloud {
    /// Policies of keys and key rings.
    pub policies: Policies,
    /// Pools, their providers, and roles.
    pub pools: Pools,
    /// Projects, folders and organisations; without it, their policies are not read.
    pub resources: Option<Resources>,
}

impl Cloud {
    /// Reads what is live.
    ///
    /// # Errors
    /// A service does not answer, or the key, its ring, the pool or its providers may not be read. That the pool does not exist, and that what
    /// is above the ring may not be read, is part of the answer.
    pub async fn live(&self, grant: &Grant) -> Result<Live, Hinted> {
        let key = grant.key();
        let pool = self.pools.find(grant.pool()).await?;
        let providers = match &pool {
            Some(_) => self.pools.providers(grant.pool()).await?,
            None => Vec::new(),
        };
        let above = match &self.resources {
            Some(resources) => resources.above(key.ring().location().project()).await?,
            None => Vec::new(),
        };
        let mut live = Live {
            key: self.policies.key(key).await?,
            key_policy: live(&self.policies.read(&key.to_string()).await?),
            ring_policy: live(&self.policies.read(&key.ring().to_string()).await?),
            above,
            pool,
            providers,
            roles: Roles::default(),
        };
        self.learn(&mut live, grant).await?;
        Ok(live)
    }

    /// Looks up the roles in the policies of which it is not known here what they allow.
    async fn learn(&self, live: &mut Live, grant: &Grant) -> Result<(), Hinted> {
        let above = live
            .above
            .iter()
            .filter_map(|above| above.policy.as_ref().ok());
        let policies = [&live.key_policy, &live.ring_policy]
            .into_iter()
            .chain(above);
        let unknown: BTreeSet<Role> = policies
            .flat_map(|policy: &Policy| &policy.bindings)
            .filter(|binding| live.roles.power(&binding.role) == Power::Unknown)
            .filter_map(|binding| binding.role.parse().ok())
            .filter(|role| role != grant.role())
            .collect();
        for role in unknown.into_iter().take(ROLES) {
            if let Some(permissions) = self.pools.permissions(&role).await? {
                live.roles.learn(role.to_string(), &permissions);
            }
        }
        Ok(())
    }
}
