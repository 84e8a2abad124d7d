//! All rules over the evidence, always all of them: a refusal names every cause at once.

use content::Digest;
use oci::ImageRef;

use crate::evidence::Evidence;
use crate::finding::Finding;
use crate::policy::Policy;
use crate::rules;

/// What the rules found. Only [`appraise`] makes one.
#[derive(Clone, Debug)]
pub struct Appraisal {
    pub(crate) image: ImageRef,
    pub(crate) policy: Digest,
    pub(crate) findings: Vec<Finding>,
}

/// Runs every rule.
pub fn appraise(evidence: &Evidence, policy: &Policy) -> Appraisal {
    Appraisal {
        image: evidence.attested.image.clone(),
        policy: policy.digest,
        findings: rules::check(evidence, policy),
    }
}
