use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A verdict (SLSA verification summary v1).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Vsa {
    /// Who judged.
    pub verifier: Verifier,
    /// When, in RFC 3339.
    pub time_verified: String,
    /// The image, by digest.
    pub resource_uri: String,
    /// By which policy.
    pub policy: PolicyDescriptor,
    /// `PASSED` or `FAILED`.
    pub verification_result: String,
    /// SLSA levels that the policy vouches for.
    #[serde(default)]
    pub verified_levels: Vec<String>,
    /// The version of this format.
    pub slsa_version: String,
}

/// Who judged.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Verifier {
    /// A URI.
    pub id: String,
}

/// A policy.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PolicyDescriptor {
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Digests by algorithm, as hex.
    pub digest: BTreeMap<String, String>,
}
