//! A module for each rule. A rule takes evidence and policy and returns findings. It does not stop at the
//! first failure, and does not know the findings of other rules.

pub(crate) mod advisories;
mod attestation;
mod countersignatures;
pub mod integrity;
pub mod provenance;
pub mod rebuild;
pub mod repository;
mod sbom;
pub mod signatures;
mod statements;

use chrono::{DateTime, Utc};

use crate::evidence::{Evidence, Uncounted};
use crate::finding::{Finding, Rule, Subject};
use crate::policy::{Demand, Policy};
use crate::value::Value;

/// The rules for statements, one for each predicate that describes an image. If a predicate has no entry here, its rule
/// has no finding, which is a refusal.
const STATEMENTS: [statements::Kind; 2] = [provenance::KIND, sbom::KIND];

/// The note about a signature or statement that does not count, by the rule for which it may have been meant.
fn uncounted(piece: &Uncounted) -> Finding {
    let subject = Subject::Piece(piece.carrier.clone());
    let reason = Value::Reason(piece.reason.clone());
    Finding::note(piece.rule, subject, Value::Nothing, reason)
}

/// Runs every rule, as of `now`.
pub fn check(evidence: &Evidence, policy: &Policy, now: DateTime<Utc>) -> Vec<Finding> {
    let mut findings = [
        integrity::check(evidence),
        repository::check(evidence, policy),
        signatures::check(evidence, policy),
        countersignatures::check(evidence, policy),
    ]
    .concat();
    for kind in STATEMENTS {
        findings.extend(kind.check(evidence, policy));
    }
    findings.extend(attestation::check(evidence, policy, now));
    findings.extend(advisories::check(evidence, policy, now));
    findings.extend(rebuild::check(evidence, policy));
    findings
}

/// Runs the rules, as of `now`, as far as they need neither config nor layers nor a rebuild. A requirement that needs them is
/// unknown.
pub(crate) fn check_signers(
    evidence: &Evidence,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Vec<Finding> {
    let mut findings = [
        integrity::check_attached(evidence),
        repository::check(evidence, policy),
        signatures::check(evidence, policy),
        countersignatures::check(evidence, policy),
    ]
    .concat();
    for kind in STATEMENTS {
        findings.extend(kind.check_signers(evidence, policy));
    }
    findings.extend(attestation::check(evidence, policy, now));
    if policy.advisories.is_some() {
        findings.push(Finding::unknown(Rule::Advisories, Subject::Advisories));
    }
    findings.push(match policy.rebuild {
        Demand::Required => Finding::unknown(Rule::Rebuild, Subject::Rebuild),
        Demand::NotRequired => Finding::skipped(Rule::Rebuild),
    });
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_predicate_that_a_policy_may_require_is_judged() {
        let judged = STATEMENTS.map(|kind| kind.predicate);
        let described: Vec<_> = attest::Predicate::descriptions().collect();
        assert_eq!(judged[..], described);
    }
}
