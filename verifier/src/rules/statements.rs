//! What the rules over attestations share: whose statements count, and that at least one of them
//! must hold entirely.
//!
//! Another statement beside it that does not hold is noted and is no failure: else whoever removes
//! it would turn a refusal into a pass, and statements must never work that way (in-toto, the
//! monotonic principle).

use std::collections::BTreeMap;

use attest::{Predicate, Subject};
use trust::Verified;

use crate::evidence::{Evidence, Rebuild, SignedStatement};
use crate::finding::{Finding, Rule};
use crate::policy::{Demand, Policy};

/// One thing in a statement that is not as it should be.
pub(super) struct Mismatch {
    pub(super) what: String,
    pub(super) expected: String,
    pub(super) found: String,
}

impl Mismatch {
    pub(super) fn new(
        what: impl Into<String>,
        expected: impl ToString,
        found: impl ToString,
    ) -> Self {
        Self {
            what: what.into(),
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }
}

/// How the statements with one predicate are judged.
pub(super) struct Kind {
    pub(super) predicate: Predicate,
    /// Compares a statement with evidence and policy.
    pub(super) examine: fn(&[u8], &Evidence, &Policy) -> Vec<Mismatch>,
    /// What nothing is compared with unless there is a rebuild.
    pub(super) needs_rebuild: &'static str,
}

impl Kind {
    pub(super) fn rule(&self) -> Rule {
        Rule::Statement(self.predicate)
    }

    /// Judges every statement of this kind that counts.
    pub(super) fn check(&self, evidence: &Evidence, policy: &Policy) -> Vec<Finding> {
        let mut findings = judge(self, evidence, policy);
        findings.extend(uncompared(self, evidence, policy));
        findings
    }
}

fn judge(kind: &Kind, evidence: &Evidence, policy: &Policy) -> Vec<Finding> {
    if policy.demands(&kind.predicate) == Demand::Unasked {
        return vec![Finding::unasked(
            kind.rule(),
            "the policy asks for no such statement",
        )];
    }
    let mut findings = uncounted(kind, evidence, policy);
    let confused = confused(kind, evidence, policy);
    let counted = counted(kind, evidence, policy);
    let judged: Vec<_> = counted
        .values()
        .map(|statement| {
            (
                *statement,
                (kind.examine)(&statement.value().payload, evidence, policy),
            )
        })
        .collect();
    let good = judged.iter().find(|(_, mismatches)| mismatches.is_empty());
    match good {
        Some((statement, _)) => {
            findings.push(holds(kind, statement, policy));
            findings.extend(confused.map(|statement| elsewhere(kind, statement)));
            let bad = judged
                .iter()
                .filter(|(_, mismatches)| !mismatches.is_empty());
            findings.extend(bad.map(|(statement, found)| beside(kind, statement, found)));
        }
        None => {
            findings.extend(confused.map(|statement| misplaced(kind, statement)));
            if judged.is_empty() {
                findings.push(absent(kind, policy));
            }
            let judged = judged.into_iter();
            findings.extend(judged.flat_map(|(_, found)| failures(kind, found)));
        }
    }
    findings
}

/// Statements of this type by those who may attest, each payload once however often it hangs there.
fn counted<'a>(
    kind: &Kind,
    evidence: &'a Evidence,
    policy: &Policy,
) -> BTreeMap<&'a [u8], &'a Verified<SignedStatement>> {
    let statements = evidence.attested.statements.iter();
    statements
        .filter(|statement| statement.value().predicate_type == kind.predicate.uri)
        .filter(|statement| policy.attesters.contains(statement.by()))
        .map(|statement| (&statement.value().payload[..], statement))
        .collect()
}

/// Statements that hang under one type and are signed as another (CVE-2022-35929). Where they hang
/// is up to whoever may push, so that this alone refuses nothing; it explains what is missing.
fn confused<'a>(
    kind: &'a Kind,
    evidence: &'a Evidence,
    policy: &'a Policy,
) -> impl Iterator<Item = &'a Verified<SignedStatement>> {
    let statements = evidence.attested.statements.iter();
    statements
        .filter(|statement| policy.attesters.contains(statement.by()))
        .filter(|statement| statement.value().claimed_type.as_deref() == Some(kind.predicate.uri))
        .filter(|statement| statement.value().predicate_type != kind.predicate.uri)
}

fn misplaced(kind: &Kind, statement: &Verified<SignedStatement>) -> Finding {
    let what = format!("signed predicate type, {}", statement.value().carrier);
    let found = &statement.value().predicate_type;
    Finding::fail(kind.rule(), what, kind.predicate.uri, found)
}

fn elsewhere(kind: &Kind, statement: &Verified<SignedStatement>) -> Finding {
    let (carrier, found) = (
        &statement.value().carrier,
        &statement.value().predicate_type,
    );
    let detail = format!("not counted, {carrier}: hangs here and is signed as {found}");
    Finding::note(kind.rule(), detail)
}

fn uncounted(kind: &Kind, evidence: &Evidence, policy: &Policy) -> Vec<Finding> {
    let pieces = evidence.attested.uncounted.iter();
    let unverified = pieces
        .filter(|piece| piece.rule == kind.rule())
        .map(|piece| {
            let detail = format!("not counted, {}: {}", piece.carrier, piece.reason);
            Finding::note(kind.rule(), detail)
        });
    let statements = evidence.attested.statements.iter();
    let others = statements
        .filter(|statement| statement.value().predicate_type == kind.predicate.uri)
        .filter(|statement| !policy.attesters.contains(statement.by()))
        .map(|statement| {
            let name = policy.name_of(statement.by());
            let detail = format!(
                "not counted, {}: {name} may not attest",
                statement.value().carrier
            );
            Finding::note(kind.rule(), detail)
        });
    unverified.chain(others).collect()
}

fn absent(kind: &Kind, policy: &Policy) -> Finding {
    let names: Vec<&str> = policy
        .attesters
        .iter()
        .map(|key| policy.name_of(key))
        .collect();
    let expected = format!("{} signed by {}", kind.predicate.uri, names.join(" or "));
    Finding::fail(kind.rule(), "statement about this image", expected, "none")
}

fn holds(kind: &Kind, statement: &Verified<SignedStatement>, policy: &Policy) -> Finding {
    let name = policy.name_of(statement.by());
    let detail = format!(
        "{} by {name} holds ({})",
        kind.predicate.uri,
        statement.value().carrier
    );
    Finding::pass(kind.rule(), detail)
}

fn beside(kind: &Kind, statement: &Verified<SignedStatement>, found: &[Mismatch]) -> Finding {
    let whats: Vec<&str> = found
        .iter()
        .map(|mismatch| mismatch.what.as_str())
        .collect();
    let detail = format!(
        "another statement does not hold, {}: {}",
        statement.value().carrier,
        whats.join(", ")
    );
    Finding::note(kind.rule(), detail)
}

fn failures(kind: &Kind, mismatches: Vec<Mismatch>) -> Vec<Finding> {
    let failure = |mismatch: Mismatch| {
        Finding::fail(
            kind.rule(),
            mismatch.what,
            mismatch.expected,
            mismatch.found,
        )
    };
    mismatches.into_iter().map(failure).collect()
}

/// What a statement says of the build is compared with our own; without one it is hearsay, and may
/// leave out anything.
fn uncompared(kind: &Kind, evidence: &Evidence, policy: &Policy) -> Option<Finding> {
    let what = kind.needs_rebuild;
    let asked = policy.demands(&kind.predicate) == Demand::Required;
    let compared = matches!(evidence.rebuild, Rebuild::Done(_));
    let detail = format!("{what} not compared with anything: there is no rebuild");
    (asked && !compared).then(|| Finding::note(kind.rule(), detail))
}

/// One statement, one image, in the repository of the policy: a statement over several subjects
/// says of none of them that the rest of it is about it.
pub(super) fn subject(subjects: &[Subject], evidence: &Evidence, policy: &Policy) -> Vec<Mismatch> {
    let [subject] = subjects else {
        return vec![Mismatch::new("subjects", 1, subjects.len())];
    };
    let mut mismatches = Vec::new();
    let image = evidence.attested.image.digest;
    let found = subject.digest.get("sha256").map_or("none", String::as_str);
    if found != image.hex() {
        mismatches.push(Mismatch::new("subject digest", image.hex(), found));
    }
    let name = subject.name.as_deref().unwrap_or("none");
    if !policy.repository.is_named(name) {
        mismatches.push(Mismatch::new("subject name", &policy.repository, name));
    }
    mismatches
}
