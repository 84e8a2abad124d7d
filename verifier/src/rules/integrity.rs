//! The registry served bytes with the digests that were requested. Other bytes are caused by an attack or a broken disk,
//! and never mean that something is absent.

use crate::contents::Contents;
use crate::evidence::Evidence;
use crate::finding::{Finding, Rule, Subject};
use crate::value::Value;

/// Reports all damage.
pub fn check(evidence: &Evidence) -> Vec<Finding> {
    let attested = &evidence.attested;
    let digest = attested.image.digest;
    undamaged(
        evidence,
        match &attested.contents {
            Some(contents) => {
                let inventory = inventory(contents, attested.pieces);
                Finding::pass(Rule::Integrity, Subject::Image, digest, inventory)
            }
            None => Finding::fail(Rule::Integrity, Subject::Image, digest, Value::Nothing),
        },
    )
}

/// Reports all damage, where neither config nor layers were fetched.
pub(super) fn check_attached(evidence: &Evidence) -> Vec<Finding> {
    let unknown = Finding::unknown(Rule::Integrity, Subject::Image);
    undamaged(evidence, unknown)
}

/// All damage, or else `otherwise`, and what was ignored.
fn undamaged(evidence: &Evidence, otherwise: Finding) -> Vec<Finding> {
    let attested = &evidence.attested;
    let mut findings: Vec<Finding> = attested.damage.iter().map(Finding::damage).collect();
    if findings.is_empty() {
        findings.push(otherwise);
    }
    findings.extend(attested.passed_over.iter().map(|what| {
        let what = what.as_str();
        Finding::note(Rule::Integrity, Subject::PassedOver, Value::Nothing, what)
    }));
    findings
}

fn inventory(contents: &Contents, pieces: usize) -> Value {
    let entries = contents.layers.iter().map(|layer| layer.entries.len());
    Value::Inventory {
        layers: contents.layers.len(),
        entries: entries.sum(),
        pieces,
    }
}
