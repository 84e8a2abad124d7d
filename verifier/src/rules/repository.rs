//! The image lives where the policy says: the same digest elsewhere is another release.

use crate::evidence::Evidence;
use crate::finding::{Finding, Rule};
use crate::policy::Policy;

/// Compares the repository that was asked with the one of the policy.
pub fn check(evidence: &Evidence, policy: &Policy) -> Vec<Finding> {
    let expected = policy.repository.to_string();
    let found = evidence.attested.image.repository.to_string();
    let finding = if expected == found {
        Finding::pass(Rule::Repository, format!("{found}, as the policy says"))
    } else {
        Finding::fail(Rule::Repository, "repository", expected, found)
    };
    vec![finding]
}
