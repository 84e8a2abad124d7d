//! The image is in the repository of the policy. The same digest in another repository is another release.

use crate::evidence::Evidence;
use crate::finding::{Finding, Rule, Subject};
use crate::policy::Policy;

/// Compares the repository of the image with the one of the policy.
pub fn check(evidence: &Evidence, policy: &Policy) -> Vec<Finding> {
    let expected = policy.repository.to_string();
    let found = evidence.attested.image.repository.to_string();
    let subject = Subject::Repository;
    vec![match expected == found {
        true => Finding::pass(Rule::Repository, subject, expected, found),
        false => Finding::fail(Rule::Repository, subject, expected, found),
    }]
}
