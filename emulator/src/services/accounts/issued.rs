use std::collections::BTreeMap;

use content::Digest;
use serde::{Deserialize, Serialize};

use super::{AccountKey, Caller, ServiceAccount};

/// The service accounts that were created and the access tokens that were issued.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct AccountState {
    pub(super) service_accounts: BTreeMap<String, ServiceAccount>,
    pub(super) issued: BTreeMap<Digest, Issued>,
    /// By ID.
    #[serde(default)]
    pub(super) keys: BTreeMap<String, AccountKey>,
}

/// The record of an issued access token.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Issued {
    pub(super) caller: Caller,
    pub(super) scopes: Vec<String>,
    pub(super) expires: u64,
}

impl Issued {
    /// Whether it is a token of the service account with this address.
    pub(super) fn is_of(&self, address: &str) -> bool {
        matches!(&self.caller, Caller::ServiceAccount(own) if own == address)
    }
}

/// A new access token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccessToken {
    /// The token.
    pub text: String,
    /// The lifetime, in seconds.
    pub lifetime: u64,
}
