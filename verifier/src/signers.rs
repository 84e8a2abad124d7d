//! Whether the principals that a policy requires have signed an image and its attestations, without its layers. This is not a
//! verdict: the contents of the image are unknown, so there is no [`Approval`](crate::verdict::Approval).

use chrono::{DateTime, Utc};
use content::Digest;
use oci::ImageRef;

use crate::evidence::{Attested, Evidence, Rebuild};
use crate::finding::{Finding, Outcome, Rule};
use crate::policy::Policy;
use crate::rules;
use crate::verdict::{complete, has_failure};

/// Who signed an image and attested to it, as far as a policy requires it. Only [`Signers::of`] creates one.
#[derive(Clone, Debug)]
pub struct Signers {
    image: ImageRef,
    policy: Digest,
    findings: Vec<Finding>,
}

impl Signers {
    /// Checks signatures and the signers of statements, as of `now`. Nothing else that was attested is used: neither the
    /// contents of the image nor what statements with a rule of their own say.
    pub fn of(attested: Attested, policy: &Policy, now: DateTime<Utc>) -> Self {
        let image = attested.image.clone();
        let evidence = Evidence::new(attested, Rebuild::Absent);
        let findings = rules::check_signers(&evidence, policy, now);
        let says = |outcome| outcome != Outcome::Note;
        Self {
            image,
            policy: policy.digest,
            findings: complete(policy.rules(), findings, says),
        }
    }

    /// Whether all signers that the policy requires have signed. If not, the image does not meet the policy. If so, it
    /// may still not meet it.
    pub fn are_complete(&self) -> bool {
        !has_failure(&self.findings)
    }

    /// The rules of which not all was checked.
    pub fn unknown(&self) -> impl Iterator<Item = Rule> {
        let findings = self.findings.iter();
        let unknown = findings.filter(|finding| finding.outcome() == Outcome::Unknown);
        unknown.map(Finding::rule)
    }

    /// All findings, in the order of the rules.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The image.
    pub fn image(&self) -> &ImageRef {
        &self.image
    }

    /// The digest of the policy.
    pub fn policy(&self) -> &Digest {
        &self.policy
    }
}
