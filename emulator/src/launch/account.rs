//! Who a launcher is to the services that it calls.

use std::sync::Arc;

use oci::Repository;
use remote::{Registry, Transport};

use super::Address;

/// Issues an access token of the machine's service account, and says for how many seconds it is valid; `None` if the account is
/// gone.
pub type Account = Arc<dyn Fn() -> Option<(String, u64)> + Send + Sync>;

/// Who a launcher is to the services that it calls.
#[derive(Clone)]
pub enum Caller {
    /// The operator, who launches without Compute Engine: registries get the credentials of Docker's store, and the attestation
    /// service trusts a call without credentials.
    Operator,
    /// The service account of a machine.
    Account(Account),
    /// A machine without a service account. It may read what anyone may read.
    NoAccount,
}

impl Caller {
    /// The token for the attestation service. It is empty, which the service refuses, if the machine has no identity: a call
    /// without a token would be one of the operator.
    pub fn bearer(&self) -> Option<String> {
        match self {
            Self::Operator => None,
            Self::Account(_) | Self::NoAccount => Some(self.token().unwrap_or_default()),
        }
    }

    fn token(&self) -> Option<String> {
        match self {
            Self::Account(account) => account().map(|(token, _)| token),
            Self::Operator | Self::NoAccount => None,
        }
    }

    /// A client of a registry. The registry of the emulator knows a machine by its service account only.
    pub fn connect(
        &self,
        repository: &Repository,
        transport: &Transport,
    ) -> Result<Registry, remote::Error> {
        let registry = Registry::connect(repository, transport)?;
        if matches!(self, Self::Operator) || !is_here(repository) {
            return Ok(registry);
        }
        Ok(match self.token() {
            Some(token) => registry.with_access_token(token),
            None => registry.without_credentials(),
        })
    }
}

/// Whether a registry is on this machine, as that of the emulator is: no other one gets the token.
fn is_here(repository: &Repository) -> bool {
    let url = format!("http://{}", repository.registry()).parse::<Address>();
    url.is_ok_and(|url| {
        url.host()
            .is_some_and(|host| remote::is_loopback_host(&host))
    })
}
