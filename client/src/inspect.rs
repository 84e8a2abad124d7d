//! Whether a key is open to one image and to nothing else, by what is live in Google Cloud.

use std::collections::BTreeSet;

use console::hint::Hinted;
use content::Digest;
use gcp::{Policies, Pools, live};
use grant::inspect::{self, Finding};
use grant::{Grant, GrantedProvider};

/// What is wrong with the key, with its policy and that of its ring, and with the pool of the grant, if this image is approved.
///
/// # Errors
/// The grant describes no provider, or something may not be read or is not there.
pub async fn findings(
    policies: &Policies,
    pools: &Pools,
    grant: &Grant,
    approved: &Digest,
) -> Result<Vec<Finding>, Hinted> {
    let provider = described(grant)?;
    let approved = BTreeSet::from([*approved]);
    let (key, ring) = (grant.key().to_string(), grant.key().ring().to_string());
    let (of_key, of_ring) = (policies.read(&key).await?, policies.read(&ring).await?);
    let mut found: Vec<_> = inspect::key(grant, &policies.key(grant.key()).await?)
        .into_iter()
        .collect();
    found.extend(inspect::key_policy(grant, &approved, &live(&of_key)));
    found.extend(inspect::inherited_policy(
        grant,
        &approved,
        &ring,
        &live(&of_ring),
    ));
    let pool = grant.pool();
    found.extend(inspect::pool(pool, &pools.pool(pool).await?));
    found.extend(inspect::providers(provider, &pools.providers(pool).await?));
    Ok(found)
}

fn described(grant: &Grant) -> Result<&GrantedProvider, Hinted> {
    grant.provider().ok_or_else(|| {
        Hinted::new(
            "the grant has no [provider], so that it is unknown who is admitted to its pool",
        )
        .hinting("policies/grant.toml is an example with every entry explained")
    })
}
