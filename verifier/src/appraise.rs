//! Runs all rules over the evidence. All of them always run, so that a refusal names every cause.

use chrono::{DateTime, Utc};
use content::Digest;
use oci::ImageRef;

use crate::evidence::Evidence;
use crate::finding::Finding;
use crate::policy::Policy;
use crate::rule::Rule;
use crate::rules;

/// The findings of all rules. Only [`appraise`] creates one.
#[derive(Clone, Debug)]
pub struct Appraisal {
    pub(crate) image: ImageRef,
    pub(crate) policy: Digest,
    pub(crate) at: DateTime<Utc>,
    /// The rules that must have findings.
    pub(crate) rules: Vec<Rule>,
    pub(crate) findings: Vec<Finding>,
}

/// Runs every rule, as of `now`.
pub fn appraise(evidence: &Evidence, policy: &Policy, now: DateTime<Utc>) -> Appraisal {
    Appraisal {
        image: evidence.attested.image.clone(),
        policy: policy.digest,
        at: now,
        rules: policy.rules().collect(),
        findings: rules::check(evidence, policy, now),
    }
}
