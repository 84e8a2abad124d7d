//! The image is in the repository of the policy. The same digest in another repository is another release. A saved
//! layout names no repository; signatures and statements still must.

use crate::evidence::Evidence;
use crate::finding::{Finding, Rule, Subject};
use crate::policy::Policy;
use crate::published::Source;

/// Compares the repository of the image with the one of the policy.
pub fn check(evidence: &Evidence, policy: &Policy) -> Vec<Finding> {
    if evidence.attested.source == Source::Layout {
        return vec![Finding::skipped(Rule::Repository)];
    }
    let expected = policy.repository.to_string();
    let found = evidence.attested.image.repository.to_string();
    let subject = Subject::Repository;
    vec![match expected == found {
        true => Finding::pass(Rule::Repository, subject, expected, found),
        false => Finding::fail(Rule::Repository, subject, expected, found),
    }]
}
