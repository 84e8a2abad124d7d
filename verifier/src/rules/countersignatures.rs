//! Before an image is bound, the other parties that the policy names have signed it too. The verdict does not depend on them: if
//! each of two parties signed only what the other has signed, neither could be the first.

use trust::Identity;

use crate::evidence::Evidence;
use crate::finding::{Finding, Rule, Subject};
use crate::policy::{Countersigners, Policy};
use crate::value::Value;

use super::signatures::{expected, names, signers};

/// Counts the parties by identity: a party counts once however often it signed.
pub fn check(evidence: &Evidence, policy: &Policy) -> Vec<Finding> {
    const RULE: Rule = Rule::Countersignatures;
    let Some(Countersigners { from, threshold }) = &policy.countersigners else {
        return Vec::new();
    };
    let signers = signers(evidence, policy);
    let (signed, missing): (Vec<&Identity>, Vec<_>) =
        from.iter().partition(|party| signers.contains(*party));
    if signed.len() < *threshold && *threshold == from.len() {
        let pending = missing.into_iter().map(|key| {
            let (subject, signature) = expected(key, evidence, policy);
            Finding::pending(RULE, subject, signature, Value::Nothing)
        });
        return pending.collect();
    }
    let needed = Value::Quorum {
        threshold: *threshold,
        principals: from.len(),
    };
    let is_reached = signed.len() >= *threshold;
    let counted = names(signed, policy);
    vec![match is_reached {
        true => Finding::pass(RULE, Subject::Signers, needed, counted),
        false => Finding::pending(RULE, Subject::Signers, needed, counted),
    }]
}
