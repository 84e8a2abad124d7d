//! Code that the rules for statements share: which statements count, and that all claims of one of them must match.
//!
//! Another statement that does not match is a note and not a failure. Otherwise a registry could turn a refusal into a
//! pass by leaving out a statement (in-toto, the monotonic principle).

use std::collections::BTreeMap;

use attest::{Predicate, Statement};
use serde_json::Value as Json;
use trust::Verified;

use crate::evidence::{Evidence, Rebuild, SignedStatement};
use crate::fact::Claim;
use crate::finding::{Finding, Rule, Subject};
use crate::policy::{Demand, Policy};
use crate::value::{Thing, Value};

/// A claim of a statement that does not match.
pub(super) struct Mismatch {
    claim: Claim,
    expected: Value,
    found: Value,
}

impl Mismatch {
    pub(super) fn new(claim: Claim, expected: impl Into<Value>, found: impl Into<Value>) -> Self {
        Self {
            claim,
            expected: expected.into(),
            found: found.into(),
        }
    }

    /// The claim.
    pub(super) fn into_claim(self) -> Claim {
        self.claim
    }

    /// A statement that cannot be parsed.
    pub(super) fn unread(predicate: Predicate, error: &attest::Error) -> Self {
        Self::new(
            Claim::Document,
            Thing::Predicate(predicate),
            error.to_string(),
        )
    }
}

/// The rule for statements with one predicate.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) predicate: Predicate,
    /// The types of predicates that statements may have.
    pub(super) types: &'static [&'static str],
    /// Compares a statement with evidence and policy.
    pub(super) examine: fn(&[u8], &Evidence, &Policy) -> Vec<Mismatch>,
    /// The claims that are compared with a rebuild only, as a plural noun.
    pub(super) needs_rebuild: &'static str,
}

impl Kind {
    pub(super) fn rule(&self) -> Rule {
        Rule::Statement(self.predicate)
    }

    fn has(&self, predicate_type: &str) -> bool {
        self.types.contains(&predicate_type)
    }

    /// Checks every statement of this kind that counts.
    pub(super) fn check(&self, evidence: &Evidence, policy: &Policy) -> Vec<Finding> {
        let mut findings = judge(self, evidence, policy);
        findings.extend(uncompared(self, evidence, policy));
        findings
    }

    /// Checks only who made the statements, and that they are about the image.
    pub(super) fn check_signers(&self, evidence: &Evidence, policy: &Policy) -> Vec<Finding> {
        let examine = examine_subject;
        let findings = judge(&Self { examine, ..*self }, evidence, policy);
        findings.into_iter().map(Finding::in_part).collect()
    }
}

fn examine_subject(payload: &[u8], evidence: &Evidence, policy: &Policy) -> Vec<Mismatch> {
    match Statement::<Json>::parse(payload) {
        Ok(statement) => subject(&statement.subject, evidence, policy),
        Err(error) => vec![Mismatch::new(
            Claim::Document,
            Value::Nothing,
            error.to_string(),
        )],
    }
}

fn judge(kind: &Kind, evidence: &Evidence, policy: &Policy) -> Vec<Finding> {
    if policy.demands(&kind.predicate) == Demand::NotRequired {
        return vec![Finding::skipped(kind.rule())];
    }
    let mut findings = uncounted(kind, evidence, policy);
    let confused = confused(kind, evidence, policy);
    let counted = counted(kind, evidence, policy);
    let judged: Vec<_> = counted
        .values()
        .map(|statement| {
            let found = (kind.examine)(&statement.value().payload, evidence, policy);
            (*statement, found)
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
            findings.extend(bad.map(|(statement, found)| beside(kind, statement, found, policy)));
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

/// Statements of this type by principals that may attest, each payload once.
fn counted<'a>(
    kind: &Kind,
    evidence: &'a Evidence,
    policy: &Policy,
) -> BTreeMap<&'a [u8], &'a Verified<SignedStatement>> {
    let statements = evidence.attested.statements.iter();
    statements
        .filter(|statement| kind.has(&statement.value().predicate_type))
        .filter(|statement| policy.attesters.contains(statement.by()))
        .map(|statement| (&statement.value().payload[..], statement))
        .collect()
}

/// Notes statements that are attached as this type and signed as another (CVE-2022-35929). Every user who may push can
/// attach them, so this is not a failure.
fn confused<'a>(
    kind: &'a Kind,
    evidence: &'a Evidence,
    policy: &'a Policy,
) -> impl Iterator<Item = &'a Verified<SignedStatement>> {
    let statements = evidence.attested.statements.iter();
    statements
        .filter(|statement| policy.attesters.contains(statement.by()))
        .filter(|statement| {
            let claimed = statement.value().claimed_type.as_deref();
            claimed.is_some_and(|claimed| kind.has(claimed))
        })
        .filter(|statement| !kind.has(&statement.value().predicate_type))
}

fn misplaced(kind: &Kind, statement: &Verified<SignedStatement>) -> Finding {
    let (subject, expected, found) = types(kind, statement);
    Finding::fail(kind.rule(), subject, expected, found)
}

fn elsewhere(kind: &Kind, statement: &Verified<SignedStatement>) -> Finding {
    let (subject, expected, found) = types(kind, statement);
    Finding::note(kind.rule(), subject, expected, found)
}

fn types<'a>(kind: &Kind, statement: &'a Verified<SignedStatement>) -> (Subject, Thing, &'a str) {
    let statement = statement.value();
    let subject = Subject::PredicateType(statement.carrier.clone());
    let expected = Thing::Predicate(kind.predicate);
    (subject, expected, &statement.predicate_type)
}

fn uncounted(kind: &Kind, evidence: &Evidence, policy: &Policy) -> Vec<Finding> {
    let pieces = evidence.attested.uncounted.iter();
    let unverified = pieces.filter(|piece| piece.rule == kind.rule());
    let statements = evidence.attested.statements.iter();
    let others = statements
        .filter(|statement| kind.has(&statement.value().predicate_type))
        .filter(|statement| !policy.attesters.contains(statement.by()))
        .map(|statement| {
            let subject = subject_of(statement, policy);
            Finding::note(kind.rule(), subject, wanted(kind, policy), Value::Nothing)
        });
    unverified.map(super::uncounted).chain(others).collect()
}

/// A statement with the predicate, by a principal that may attest.
fn wanted(kind: &Kind, policy: &Policy) -> Value {
    let names = policy.attesters.iter().map(|by| policy.name_of(by));
    Value::Statement {
        predicate: kind.predicate,
        by: names.map(str::to_owned).collect(),
    }
}

fn absent(kind: &Kind, policy: &Policy) -> Finding {
    let (subject, wanted) = (Subject::Statement, wanted(kind, policy));
    Finding::fail(kind.rule(), subject, wanted, Value::Nothing)
}

fn subject_of(statement: &Verified<SignedStatement>, policy: &Policy) -> Subject {
    Subject::StatementBy {
        by: policy.name_of(statement.by()).to_owned(),
        carrier: statement.value().carrier.clone(),
    }
}

fn holds(kind: &Kind, statement: &Verified<SignedStatement>, policy: &Policy) -> Finding {
    let found = match Predicate::with_uri(&statement.value().predicate_type) {
        Some(known) => Value::from(Thing::Predicate(known)),
        None => Value::from(&*statement.value().predicate_type),
    };
    let subject = subject_of(statement, policy);
    Finding::pass(kind.rule(), subject, found.clone(), found)
}

fn beside(
    kind: &Kind,
    statement: &Verified<SignedStatement>,
    found: &[Mismatch],
    policy: &Policy,
) -> Finding {
    let claims = found.iter().map(|mismatch| mismatch.claim.clone());
    let claims = Value::Claims(claims.collect());
    let subject = subject_of(statement, policy);
    Finding::note(kind.rule(), subject, Value::Nothing, claims)
}

fn failures(kind: &Kind, mismatches: Vec<Mismatch>) -> impl Iterator<Item = Finding> {
    let rule = kind.rule();
    mismatches.into_iter().map(move |mismatch| {
        let subject = Subject::Claim(mismatch.claim);
        Finding::fail(rule, subject, mismatch.expected, mismatch.found)
    })
}

/// Notes that claims about the build were not compared, because there is no rebuild: the signer may have left out
/// anything.
fn uncompared(kind: &Kind, evidence: &Evidence, policy: &Policy) -> Option<Finding> {
    let is_asked = policy.demands(&kind.predicate) == Demand::Required;
    let is_compared = matches!(evidence.rebuild, Rebuild::Done(_));
    (is_asked && !is_compared).then(|| {
        let subject = Subject::Uncompared(kind.needs_rebuild);
        Finding::note(kind.rule(), subject, Thing::OwnRebuild, Value::Nothing)
    })
}

/// Checks that the only subject is this image in the repository of the policy. With several subjects, it would not be
/// clear which of them the predicate describes.
pub(super) fn subject(
    subjects: &[attest::Subject],
    evidence: &Evidence,
    policy: &Policy,
) -> Vec<Mismatch> {
    let [subject] = subjects else {
        let (one, found) = (Value::Count(1), Value::Count(subjects.len()));
        return vec![Mismatch::new(Claim::Subjects, one, found)];
    };
    let mut mismatches = Vec::new();
    let image = evidence.attested.image.digest.hex();
    let found = subject.digest.get("sha256").map(String::as_str);
    if found != Some(&image) {
        mismatches.push(Mismatch::new(Claim::SubjectDigest, image, found));
    }
    let name = subject.name.as_deref();
    if !name.is_some_and(|name| policy.repository.is_named(name)) {
        let expected = policy.repository.to_string();
        mismatches.push(Mismatch::new(Claim::SubjectName, expected, name));
    }
    mismatches
}
