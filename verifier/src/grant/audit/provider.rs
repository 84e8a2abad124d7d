//! The pool and its providers.

use grant::inspect;
use grant::live::{DELETED, Pool, Provider};
use grant::{Grant, GrantedProvider};

use super::what::What;

pub(super) fn check_pool(grant: &Grant, pool: Option<&Pool>) -> Vec<What> {
    let Some(pool) = pool else {
        return vec![What::NoPool];
    };
    let found = inspect::pool(grant.pool(), pool);
    match found.is_empty() {
        true => vec![What::PoolActive],
        false => found.into_iter().map(What::Differs).collect(),
    }
}

pub(super) fn check(granted: &GrantedProvider, live: &[Provider]) -> Vec<What> {
    let found = inspect::providers(granted, live);
    let id = granted.name().id().to_owned();
    let mut observed = match found.is_empty() {
        true => vec![What::ProviderAsGranted { id }],
        false => found.into_iter().map(What::Differs).collect(),
    };
    let own = granted.name().to_string();
    let deleted = live
        .iter()
        .filter(|other| other.state == DELETED && other.name != own);
    observed.extend(deleted.map(|other| What::DeletedProvider {
        name: other.name.clone(),
    }));
    observed
}
