//! The service account of a machine, and what it is let in to.

use std::sync::Arc;

use oci::Repository;
use remote::{Registry, Transport};

use super::Address;

/// Issues an access token of the machine's service account, and says for how many seconds it is valid.
pub type Account = Arc<dyn Fn() -> Option<(String, u64)> + Send + Sync>;

/// A client of a registry, as the service account of the machine if it has one.
pub fn connect(
    repository: &Repository,
    transport: &Transport,
    account: Option<&Account>,
) -> Result<Registry, remote::Error> {
    let registry = Registry::connect(repository, transport)?;
    let token = account
        .filter(|_| is_here(repository))
        .and_then(|account| account());
    Ok(match token {
        Some((token, _)) => registry.with_access_token(token),
        None => registry,
    })
}

/// Whether a registry is on this machine, as that of the emulator is: no other one gets the token.
fn is_here(repository: &Repository) -> bool {
    let url = format!("http://{}", repository.registry()).parse::<Address>();
    url.is_ok_and(|url| {
        url.host()
            .is_some_and(|host| remote::is_loopback_host(&host))
    })
}
