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
    let findings = [
        rules::integrity::check(evidence),
        rules::repository::check(evidence, policy),
        rules::signatures::check(evidence, policy),
        rules::provenance::check(evidence, policy),
        rules::sbom::check(evidence, policy),
        rules::rebuild::check(evidence, policy),
    ];
    Appraisal {
        image: evidence.attested.image.clone(),
        policy: policy.digest,
        findings: findings.concat(),
    }
}
