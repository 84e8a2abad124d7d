//! The digest is signed by all principals that the policy requires, and by at least as many as its threshold. Two
//! signatures with one key count once.

use std::collections::BTreeSet;

use trust::{Identity, Quorum, Verified};

use crate::evidence::{Evidence, ImageSignature, Visibility};
use crate::finding::{Finding, Rule, Subject};
use crate::policy::{Policy, WithoutRepository};
use crate::published::Source;
use crate::value::Value;
use oci::ImageRef;

/// Counts principals by identity.
pub fn check(evidence: &Evidence, policy: &Policy) -> Vec<Finding> {
    match &policy.signatures {
        Some(quorum) => count(quorum, evidence, policy),
        None => vec![Finding::skipped(Rule::Signatures)],
    }
}

fn count(quorum: &Quorum, evidence: &Evidence, policy: &Policy) -> Vec<Finding> {
    let all = evidence.attested.signatures.iter();
    let (here, others): (Vec<&Verified<ImageSignature>>, Vec<_>) =
        all.partition(|signature| is_here(signature, policy));
    let signers = signers(evidence, policy);
    let others = others.into_iter();
    let mut findings: Vec<Finding> = others.map(|other| elsewhere(other, policy)).collect();
    findings.extend(uncounted(evidence));
    let source = evidence.attested.source;
    let unseen = |key: &Identity| unseen(key, &here, source, policy);
    findings.extend(signers.iter().filter_map(unseen));
    let missing: Vec<&Identity> = quorum.missing(&signers).collect();
    findings.extend(missing.iter().map(|key| absent(key, evidence, policy)));
    let [needed, signed] = compared(quorum, &signers, policy);
    if !quorum.is_reached(&signers) {
        let subject = Subject::Signers;
        findings.push(Finding::fail(Rule::Signatures, subject, needed, signed));
    } else if missing.is_empty() {
        let subject = Subject::Signers;
        findings.push(Finding::pass(Rule::Signatures, subject, needed, signed));
    }
    findings
}

/// Those who signed the image in the policy's repository, or for no repository if the policy counts that.
pub(super) fn signers(evidence: &Evidence, policy: &Policy) -> BTreeSet<Identity> {
    let all = evidence.attested.signatures.iter();
    let here = all.filter(|signature| is_here(signature, policy));
    here.map(|signature| signature.by().clone()).collect()
}

fn is_here(signature: &Verified<ImageSignature>, policy: &Policy) -> bool {
    match &signature.value().repository {
        Some(name) => policy.repository.is_named(name),
        None => policy.without_repository == WithoutRepository::Count,
    }
}

/// Notes a signer whose signature Confidential Space does not count: the workload does not start without it. A layout
/// does not show under which tags a registry has the signatures.
fn unseen(
    signer: &Identity,
    signatures: &[&Verified<ImageSignature>],
    source: Source,
    policy: &Policy,
) -> Option<Finding> {
    let own = signatures.iter().filter(|found| found.by() == signer);
    let seen_as: Vec<Visibility> = own
        .map(|found| found.value().in_confidential_space)
        .collect();
    if seen_as.contains(&Visibility::Counted) {
        return None;
    }
    let why = *seen_as.first()?;
    if (source, why) == (Source::Layout, Visibility::NotUnderTag) {
        return None;
    }
    let why = Value::Visibility(why);
    let subject = Subject::SeenByConfidentialSpace(policy.name_of(signer).to_owned());
    let seen = Value::Visibility(Visibility::Counted);
    Some(Finding::note(Rule::Signatures, subject, seen, why))
}

/// Notes a signature for another repository: there, the same digest may be an old release, or another party's.
fn elsewhere(signature: &Verified<ImageSignature>, policy: &Policy) -> Finding {
    let subject = Subject::Signature {
        by: policy.name_of(signature.by()).to_owned(),
        carrier: signature.value().carrier.clone(),
    };
    let expected = policy.repository.to_string();
    let found = signature.value().repository.as_deref();
    Finding::note(Rule::Signatures, subject, expected, found)
}

fn uncounted(evidence: &Evidence) -> impl Iterator<Item = Finding> {
    let pieces = evidence.attested.uncounted.iter();
    let here = pieces.filter(|piece| piece.rule == Rule::Signatures);
    here.map(super::uncounted)
}

fn absent(key: &Identity, evidence: &Evidence, policy: &Policy) -> Finding {
    let (subject, expected) = expected(key, evidence, policy);
    Finding::fail(Rule::Signatures, subject, expected, Value::Nothing)
}

/// The signature of a principal that was not found.
pub(super) fn expected(key: &Identity, evidence: &Evidence, policy: &Policy) -> (Subject, Value) {
    let subject = Subject::SignatureBy(policy.name_of(key).to_owned());
    let image = ImageRef {
        repository: policy.repository.clone(),
        digest: evidence.attested.image.digest,
    };
    let by = key.clone();
    (subject, Value::Signature { by, image })
}

fn compared(quorum: &Quorum, signers: &BTreeSet<Identity>, policy: &Policy) -> [Value; 2] {
    let needed = Value::Quorum {
        threshold: quorum.threshold(),
        principals: policy.principals.len(),
    };
    [needed, names(signers, policy)]
}

/// The names of principals, sorted: identities are in the order of their keys.
pub(super) fn names<'a>(signers: impl IntoIterator<Item = &'a Identity>, policy: &Policy) -> Value {
    let names = signers
        .into_iter()
        .map(|key| policy.name_of(key).to_owned());
    let mut names: Vec<_> = names.collect();
    names.sort();
    Value::Principals(names)
}
