//! Our own rebuild is the same image, byte for byte; otherwise where it differs.

use crate::evidence::{Evidence, Occasion, Rebuild, Rebuilt, RegistryCheck};
use crate::finding::{Finding, Rule};
use crate::policy::{Demand, Policy};

/// Differences that are spelled out; the rest are counted.
const SHOWN: usize = 12;

/// Compares manifests, and names what differs below them. What was rebuilt must be the directory of
/// the policy: another one of the same commit is another program.
pub fn check(evidence: &Evidence, policy: &Policy) -> Vec<Finding> {
    let mut findings = judge(evidence, policy.rebuild);
    findings.extend(unpinned(evidence, policy));
    if let Rebuild::Done(rebuilt) = &evidence.rebuild {
        findings.extend(directory(rebuilt, policy));
    }
    findings
}

/// The policy may pin the commit, and an earlier rebuild may be of another.
fn unpinned(evidence: &Evidence, policy: &Policy) -> Option<Finding> {
    let pinned = policy.commit.as_ref()?;
    match &evidence.rebuild {
        Rebuild::Done(rebuilt) if rebuilt.commit != pinned.as_str() => Some(Finding::fail(
            Rule::Rebuild,
            "commit that was rebuilt",
            format!("{pinned}, which the policy pins"),
            &rebuilt.commit,
        )),
        _ => None,
    }
}

fn directory(rebuilt: &Rebuilt, policy: &Policy) -> Option<Finding> {
    let found = rebuilt.directory();
    let what = "directory of our own rebuild";
    (found != Some(&policy.directory)).then(|| {
        let found = found.map_or("none", |found| found);
        Finding::fail(Rule::Rebuild, what, &policy.directory, found)
    })
}

/// The same without a policy.
pub fn judge(evidence: &Evidence, demand: Demand) -> Vec<Finding> {
    match &evidence.rebuild {
        Rebuild::Unasked => vec![not_rebuilt(demand)],
        Rebuild::NoCommit { source, commit } => vec![Finding::fail(
            Rule::Rebuild,
            "source",
            format!("commit {commit} in {source}"),
            "no such commit",
        )],
        Rebuild::Linked { commit, link } => vec![Finding::fail(
            Rule::Rebuild,
            format!("{link} in commit {commit}"),
            "a directory",
            "a symbolic link",
        )],
        Rebuild::Refused { commit, reason } => vec![Finding::fail(
            Rule::Rebuild,
            format!("rebuild of commit {commit}"),
            "an image",
            format!("a refusal of the builder: {reason}"),
        )],
        Rebuild::Done(rebuilt) => {
            let mut findings = compared(evidence, rebuilt);
            findings.push(registry(&rebuilt.registry));
            findings
        }
    }
}

/// A digest in a lock says which bytes; whether they bear their name in the registry is another question.
fn registry(check: &RegistryCheck) -> Finding {
    let detail = match check {
        RegistryCheck::Made => {
            "each crate of the rebuild has the digest that the registry has".to_owned()
        }
        RegistryCheck::NotMade { reason } => {
            format!("the crates of the rebuild were not compared with the registry: {reason}")
        }
    };
    Finding::note(Rule::Rebuild, detail)
}

fn not_rebuilt(demand: Demand) -> Finding {
    match demand {
        Demand::Required => Finding::fail(Rule::Rebuild, "rebuild", "our own", "none"),
        Demand::Unasked => Finding::unasked(Rule::Rebuild, "nothing was rebuilt"),
    }
}

fn compared(evidence: &Evidence, rebuilt: &Rebuilt) -> Vec<Finding> {
    let expected = rebuilt.contents.image.image_digest();
    let found = evidence.attested.image.digest;
    if expected == found && evidence.differences.is_empty() {
        let detail = format!("{} is {found}", words(rebuilt));
        return vec![Finding::pass(Rule::Rebuild, detail)];
    }
    let what = format!("image digest of {}", words(rebuilt));
    let mut findings = vec![Finding::fail(Rule::Rebuild, what, expected, found)];
    for difference in evidence.differences.iter().take(SHOWN) {
        let (place, rebuilt, published) = (
            &difference.place,
            &difference.rebuilt,
            &difference.published,
        );
        findings.push(Finding::fail(Rule::Rebuild, place, rebuilt, published));
    }
    let hidden = evidence.differences.len().saturating_sub(SHOWN);
    if hidden > 0 {
        findings.push(Finding::note(
            Rule::Rebuild,
            format!("{hidden} more differences"),
        ));
    }
    findings
}

/// What was built, and who saw it: an appraisal that was handed a layout saw nothing being built.
fn words(rebuilt: &Rebuilt) -> String {
    let commit = &rebuilt.commit;
    match &rebuilt.occasion {
        Occasion::Now => format!("commit {commit} rebuilt here"),
        Occasion::Earlier { layout, source } => {
            let layout = layout.display();
            format!("commit {commit} of {source} in an earlier rebuild ({layout})")
        }
    }
}
