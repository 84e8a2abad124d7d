//! What Google Cloud has: the key, the policies of key and ring, the pool and its providers.

use gcp::Pools;
use google_cloud_iam_v1::model::Policy;
use grant::Grant;
use grant::live::{Key, Pool, Provider};

use super::apply::Keys;
use crate::error::Error;

/// Everything that an audit compares.
#[derive(Clone, Debug)]
pub struct Live {
    /// The key.
    pub key: Key,
    /// Its policy.
    pub key_policy: Policy,
    /// The policy of its ring, which the key inherits.
    pub ring_policy: Policy,
    /// The pool; `None` if it does not exist.
    pub pool: Option<Pool>,
    /// All providers of the pool, also those that are deleted.
    pub providers: Vec<Provider>,
}

impl Live {
    /// Reads everything. Nothing is written.
    ///
    /// # Errors
    /// A service does not answer, or refuses. Only a pool that does not exist is no error.
    pub async fn read(keys: &Keys, pools: &Pools, grant: &Grant) -> Result<Self, Error> {
        let key = grant.key();
        let pool = pools.find(grant.pool()).await?;
        let providers = match &pool {
            Some(_) => pools.providers(grant.pool()).await?,
            None => Vec::new(),
        };
        Ok(Self {
            key: keys.describe(key).await?,
            key_policy: keys.policy(&key.to_string()).await?,
            ring_policy: keys.policy(&key.ring().to_string()).await?,
            pool,
            providers,
        })
    }
}
