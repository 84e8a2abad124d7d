use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Who calls.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Caller {
    /// A service account, by its address.
    ServiceAccount(String),
    /// Somebody from outside, let in by a workload identity pool.
    Federated(Federated),
}

/// An identity from outside.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Federated {
    /// The pool, `projects/NUMBER/locations/global/workloadIdentityPools/POOL`.
    pub pool: String,
    /// `google.subject`.
    pub subject: String,
    /// `google.groups`.
    pub groups: Vec<String>,
    /// `attribute.*`, by name.
    pub attributes: BTreeMap<String, String>,
    /// When it ends, in Unix seconds.
    pub expires: u64,
}
