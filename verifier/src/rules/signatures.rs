//! Who signed this digest: all whom the policy requires, and as many distinct principals as its
//! threshold says. A key in two layouts is still one principal.

use std::collections::BTreeSet;

use trust::{Identity, Verified};

use crate::evidence::{Evidence, ImageSignature, Sight};
use crate::finding::{Finding, Rule};
use crate::policy::Policy;

/// With these, `cosign sign --key` writes the legacy layout, whose payload names the repository.
const COSIGN_FLAGS: &str = "`--new-bundle-format=false --use-signing-config=false`";

/// Counts principals, by key.
pub fn check(evidence: &Evidence, policy: &Policy) -> Vec<Finding> {
    let is_here = |name: &String| policy.repository.is_named(name);
    let (here, others): (Vec<&Verified<ImageSignature>>, Vec<_>) = evidence
        .attested
        .signatures
        .iter()
        .partition(|signature| signature.value().repository.as_ref().is_some_and(is_here));
    let signers: BTreeSet<Identity> = here
        .iter()
        .map(|signature| signature.by().clone())
        .collect();
    let others = others.into_iter();
    let mut findings: Vec<Finding> = others.map(|other| elsewhere(other, policy)).collect();
    findings.extend(uncounted(evidence));
    findings.extend(signers.iter().filter_map(|key| unseen(key, &here, policy)));
    let missing: Vec<&Identity> = policy.signatures.missing(&signers).collect();
    findings.extend(missing.iter().map(|key| absent(key, evidence, policy)));
    if !policy.signatures.is_reached(&signers) {
        findings.push(too_few(&signers, policy));
    } else if missing.is_empty() {
        findings.push(enough(&signers, policy));
    }
    findings
}

/// Confidential Space reads less than we do: a pass here may be a workload there that waits for a
/// signature in vain.
fn unseen(
    signer: &Identity,
    signatures: &[&Verified<ImageSignature>],
    policy: &Policy,
) -> Option<Finding> {
    let theirs = signatures.iter().filter(|found| found.by() == signer);
    let sights: Vec<Sight> = theirs
        .map(|found| found.value().in_confidential_space)
        .collect();
    if sights.contains(&Sight::Seen) {
        return None;
    }
    let why = sights.first()?;
    let name = policy.name_of(signer);
    let detail = format!("Confidential Space will not see the signature of {name}: {why}");
    Some(Finding::note(Rule::Signatures, detail))
}

/// The same digest in another repository may be an old release, or another's.
fn elsewhere(signature: &Verified<ImageSignature>, policy: &Policy) -> Finding {
    let name = policy.name_of(signature.by());
    let expected = &policy.repository;
    let carrier = &signature.value().carrier;
    let detail = match signature.value().repository.as_deref() {
        Some(found) => format!(
            "{name} signed ({carrier}), but for another repository: expected {expected}, found {found}"
        ),
        None => format!(
            "{name} signed the digest ({carrier}), but no repository: expected {expected}; cosign 3 \
             leaves it out of its bundles, {COSIGN_FLAGS} have it signed"
        ),
    };
    Finding::note(Rule::Signatures, detail)
}

fn uncounted(evidence: &Evidence) -> Vec<Finding> {
    let pieces = evidence.attested.uncounted.iter();
    let here = pieces.filter(|piece| piece.rule == Rule::Signatures);
    here.map(|piece| {
        let detail = format!("not counted, {}: {}", piece.carrier, piece.reason);
        Finding::note(Rule::Signatures, detail)
    })
    .collect()
}

fn absent(key: &Identity, evidence: &Evidence, policy: &Policy) -> Finding {
    let what = format!("signature of {}", policy.name_of(key));
    let image = evidence.attested.image.digest;
    let expected = format!("one by {key} over {image} in {}", policy.repository);
    Finding::fail(Rule::Signatures, what, expected, "none")
}

fn too_few(signers: &BTreeSet<Identity>, policy: &Policy) -> Finding {
    let expected = format!(
        "at least {} of {}",
        policy.signatures.threshold(),
        policy.principals.len()
    );
    let found = format!("{} ({})", signers.len(), names(signers, policy));
    Finding::fail(Rule::Signatures, "distinct principals", expected, found)
}

fn enough(signers: &BTreeSet<Identity>, policy: &Policy) -> Finding {
    let detail = format!(
        "signed by {} ({} of {} principals, {} needed)",
        names(signers, policy),
        signers.len(),
        policy.principals.len(),
        policy.signatures.threshold()
    );
    Finding::pass(Rule::Signatures, detail)
}

fn names(keys: &BTreeSet<Identity>, policy: &Policy) -> String {
    if keys.is_empty() {
        return "nobody".to_owned();
    }
    let names: Vec<&str> = keys.iter().map(|key| policy.name_of(key)).collect();
    names.join(", ")
}
