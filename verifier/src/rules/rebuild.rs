//! The rebuilt image equals the published image, byte for byte.

use attest::provenance::IMAGE;

use crate::evidence::{Evidence, Rebuild, Rebuilt, RegistryCheck};
use crate::finding::{Finding, Rule, Subject};
use crate::policy::{Demand, Policy};
use crate::value::{Thing, Value};

/// Differences that are listed. The rest are counted.
const SHOWN: usize = 12;

/// Compares the images, and lists their differences. Directory and name of what was rebuilt must be those of the policy:
/// another directory of the same commit is another program, and so is another image of the same file.
pub fn check(evidence: &Evidence, policy: &Policy) -> Vec<Finding> {
    let mut findings = judge(evidence, policy.rebuild);
    findings.extend(unpinned(evidence, policy));
    if let Rebuild::Done(rebuilt) = &evidence.rebuild {
        findings.extend(directory(rebuilt, policy));
        findings.extend(image(rebuilt, policy));
    }
    findings
}

/// Compares the commit of the rebuild with the one that the policy pins: an earlier rebuild may be of another commit.
fn unpinned(evidence: &Evidence, policy: &Policy) -> Option<Finding> {
    let pinned = policy.commit.as_ref()?;
    let Rebuild::Done(rebuilt) = &evidence.rebuild else {
        return None;
    };
    (rebuilt.commit != pinned.as_str()).then(|| {
        let (pinned, found) = (Value::Pinned(pinned.to_string()), rebuilt.commit.as_str());
        Finding::fail(Rule::Rebuild, Subject::RebuiltCommit, pinned, found)
    })
}

fn directory(rebuilt: &Rebuilt, policy: &Policy) -> Option<Finding> {
    let (expected, found) = (policy.directory.as_str(), rebuilt.directory());
    let subject = Subject::RebuiltDirectory;
    (found != Some(expected)).then(|| Finding::fail(Rule::Rebuild, subject, expected, found))
}

/// Compares the name of the image that was rebuilt. Without one in the policy, there must be none.
fn image(rebuilt: &Rebuilt, policy: &Policy) -> Option<Finding> {
    let built = &rebuilt.provenance.build_definition.external_parameters;
    let (expected, found) = (policy.parameters.get(IMAGE), built.get(IMAGE));
    (found != expected)
        .then(|| Finding::fail(Rule::Rebuild, Subject::RebuiltImage, expected, found))
}

/// Compares the images, without a policy.
pub fn judge(evidence: &Evidence, demand: Demand) -> Vec<Finding> {
    let (subject, expected, found) = match &evidence.rebuild {
        Rebuild::Done(rebuilt) => {
            let mut findings = compared(evidence, rebuilt);
            findings.extend(rebuilt.has_crates().then(|| registry(&rebuilt.registry)));
            return findings;
        }
        Rebuild::Absent => match demand {
            Demand::Required => (Subject::Rebuild, Thing::OwnRebuild.into(), Value::Nothing),
            Demand::NotRequired => return vec![Finding::skipped(Rule::Rebuild)],
        },
        Rebuild::NoCommit { source, commit } => {
            let (commit, source) = (commit.clone(), source.clone());
            let expected = Value::CommitIn { commit, source };
            (Subject::Source, expected, Value::Nothing)
        }
        Rebuild::Linked { commit, link } => {
            let (path, commit) = (link.clone(), commit.clone());
            let subject = Subject::PathInCommit { path, commit };
            (subject, Thing::Directory.into(), Thing::SymbolicLink.into())
        }
        Rebuild::Refused { commit, reason } => {
            let subject = Subject::RebuildOf(commit.clone());
            let refusal = Value::Refusal(reason.clone());
            (subject, Thing::Image.into(), refusal)
        }
    };
    vec![Finding::fail(Rule::Rebuild, subject, expected, found)]
}

/// Notes whether crates were compared with the registry. The lock alone does not show that the registry has the same
/// bytes under that name.
fn registry(check: &RegistryCheck) -> Finding {
    let (made, check) = (RegistryCheck::Made, check.clone());
    let (made, check) = (Value::Registry(made), Value::Registry(check));
    Finding::note(Rule::Rebuild, Subject::Crates, made, check)
}

fn compared(evidence: &Evidence, rebuilt: &Rebuilt) -> Vec<Finding> {
    let expected = rebuilt.contents.image.image_digest();
    let found = evidence.attested.image.digest;
    let subject = Subject::Rebuilt {
        commit: rebuilt.commit.clone(),
        timing: rebuilt.timing.clone(),
    };
    if expected == found && evidence.differences.is_empty() {
        return vec![Finding::pass(Rule::Rebuild, subject, expected, found)];
    }
    let mut findings = vec![Finding::fail(Rule::Rebuild, subject, expected, found)];
    for difference in evidence.differences.iter().take(SHOWN) {
        let place = Subject::Place(difference.place.clone());
        let (rebuilt, published) = (&difference.rebuilt, &difference.published);
        let finding = Finding::fail(Rule::Rebuild, place, &**rebuilt, &**published);
        findings.push(finding);
    }
    let hidden = evidence.differences.len().saturating_sub(SHOWN);
    if hidden > 0 {
        let (subject, count) = (Subject::FurtherDifferences, Value::Count(hidden));
        findings.push(Finding::note(Rule::Rebuild, subject, Value::Nothing, count));
    }
    findings
}
