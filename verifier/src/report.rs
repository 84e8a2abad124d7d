//! Verdicts and findings, as a table of text and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::authorize::{Bound, Done};
use crate::evidence::{Evidence, Rebuild, Timing};
use crate::finding::{Finding, Outcome};
use crate::rule::Rule;
use crate::signers::Signers;
use crate::verdict::Verdict;

mod words;

pub use words::detail;

/// The table: one line for each finding, then the verdict.
pub fn table(verdict: &Verdict) -> String {
    format!("{}{}\n", lines(verdict.findings()), sentence(verdict))
}

/// One line for each finding.
pub fn lines(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "  {:<11} {:<8} {}",
            finding.rule(),
            finding.outcome(),
            detail(finding)
        );
    }
    out
}

/// The verdict in one line, which names every rule that failed.
pub fn sentence(verdict: &Verdict) -> String {
    let image = verdict.image();
    match verdict {
        Verdict::Pass(_) => format!("pass: {image}"),
        Verdict::Fail(_) => format!("fail: {image}: {}", failed(verdict.findings()).join(", ")),
    }
}

/// What was found about signers: one line for each finding, then the result, which never is a pass.
pub fn signers_table(signers: &Signers) -> String {
    let (image, findings) = (signers.image(), signers.findings());
    let result = match signers.are_complete() {
        true => format!(
            "signed: {image}; not checked: {}",
            unknown(signers).join(", ")
        ),
        false => format!("fail: {image}: {}", failed(findings).join(", ")),
    };
    format!("{}{result}\n", lines(findings))
}

/// What was found about signers, as JSON. Its `verdict` is `signed` or `fail`.
pub fn signers_json(signers: &Signers) -> Value {
    let word = match signers.are_complete() {
        true => "signed",
        false => "fail",
    };
    let image = signers.image();
    json!({
        "image": image.to_string(),
        "image_digest": image.digest,
        "verdict": word,
        "unchecked": unknown(signers),
        "policy": signers.policy(),
        "findings": findings(signers.findings()),
    })
}

fn unknown(signers: &Signers) -> Vec<&'static str> {
    signers.unknown().map(Rule::name).collect()
}

fn failed(findings: &[Finding]) -> Vec<&'static str> {
    let failed = findings
        .iter()
        .filter(|finding| finding.outcome() == Outcome::Fail);
    let mut rules: Vec<_> = failed.map(|finding| finding.rule().name()).collect();
    rules.dedup();
    rules
}

/// The report as JSON, with every difference that was found.
pub fn json(verdict: &Verdict, evidence: &Evidence) -> Value {
    let word = match verdict {
        Verdict::Pass(_) => "pass",
        Verdict::Fail(_) => "fail",
    };
    let image = verdict.image();
    json!({
        "image": image.to_string(),
        "image_digest": image.digest,
        "verdict": word,
        "policy": verdict.policy(),
        "findings": findings(verdict.findings()),
        "differences": evidence.differences,
        "rebuilt": rebuilt(&evidence.rebuild),
    })
}

/// The binding as JSON.
pub fn binding(bound: &Bound) -> Value {
    let Bound { binding, done } = bound;
    let mut report = json!({
        "key": binding.key().to_string(),
        "role": binding.role(),
        "member": binding.member(),
        "applied": matches!(done, Done::Applied(_)),
    });
    if let Done::Planned(plan) = done {
        report["plan"] = plan.to_json();
    }
    report
}

fn findings(findings: &[Finding]) -> Vec<Value> {
    let one = |finding: &Finding| {
        json!({
            "rule": finding.rule(),
            "outcome": finding.outcome(),
            "detail": detail(finding),
        })
    };
    findings.iter().map(one).collect()
}

/// The rebuild in a report, or null.
pub fn rebuilt(rebuild: &Rebuild) -> Value {
    match rebuild {
        Rebuild::Absent => Value::Null,
        Rebuild::NoCommit { source, commit } => json!({"source": source, "missing_commit": commit}),
        Rebuild::Linked { commit, link } => json!({"commit": commit, "link": link}),
        Rebuild::Refused { commit, reason } => json!({"commit": commit, "refused": reason}),
        Rebuild::Done(rebuilt) => json!({
            "origin": origin(&rebuilt.timing),
            "commit": rebuilt.commit,
            "image_digest": rebuilt.contents.image.image_digest(),
            "image_id": rebuilt.contents.image.image_id(),
        }),
    }
}

fn origin(timing: &Timing) -> Value {
    match timing {
        Timing::Now => json!("now"),
        Timing::Earlier { layout, source } => {
            json!({"layout": layout.to_string_lossy(), "source": source})
        }
    }
}
