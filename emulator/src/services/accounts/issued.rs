use std::collections::BTreeMap;

use content::Digest;
use serde::{Deserialize, Serialize};

use super::{Caller, ServiceAccount};

/// What accounts are given while a cloud runs.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Given {
    pub(super) service_accounts: BTreeMap<String, ServiceAccount>,
    pub(super) issued: BTreeMap<Digest, Issued>,
}

/// An access token that was given out.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Issued {
    pub(super) caller: Caller,
    pub(super) scopes: Vec<String>,
    pub(super) expires: u64,
}

/// An access token as it is given out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccessToken {
    /// Its text.
    pub text: String,
    /// Seconds that it lasts.
    pub lifetime: u64,
}
