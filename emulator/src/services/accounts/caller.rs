use std::collections::BTreeMap;

use google::identity;
use serde::{Deserialize, Serialize};

/// The caller of a service.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Caller {
    /// A service account, by its address.
    ServiceAccount(String),
    /// A federated identity, admitted by a workload identity pool.
    Federated(Federated),
}

/// A federated identity.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Federated {
    /// The pool.
    pub pool: identity::Pool,
    /// `google.subject`.
    pub subject: String,
    /// `google.groups`.
    pub groups: Vec<String>,
    /// `attribute.*`, by name.
    pub attributes: BTreeMap<String, String>,
    /// The time at which the identity expires, in Unix seconds.
    pub expires: u64,
}
