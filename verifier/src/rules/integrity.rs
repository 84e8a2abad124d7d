//! Bytes have the digests under which they were asked for. A registry that serves other bytes is
//! an attack or a broken disk; neither is a reason to say that something is absent.

use crate::evidence::Evidence;
use crate::finding::{Finding, Rule};

/// Reports every damaged piece.
pub fn check(evidence: &Evidence) -> Vec<Finding> {
    let attested = &evidence.attested;
    let mut findings: Vec<Finding> = Vec::new();
    for damage in &attested.damage {
        let (expected, found) = (&damage.expected, &damage.found);
        findings.push(Finding::fail(
            Rule::Integrity,
            &damage.what,
            expected,
            found,
        ));
    }
    match &attested.contents {
        Some(contents) if findings.is_empty() => {
            findings.push(Finding::pass(
                Rule::Integrity,
                sizes(contents, attested.pieces),
            ));
        }
        None if findings.is_empty() => {
            let expected = attested.image.digest;
            findings.push(Finding::fail(
                Rule::Integrity,
                "image",
                expected,
                "no image",
            ));
        }
        _ => {}
    }
    let notes = attested.passed_over.iter();
    findings
        .extend(notes.map(|what| Finding::note(Rule::Integrity, format!("passed over: {what}"))));
    findings
}

fn sizes(contents: &crate::contents::Contents, pieces: usize) -> String {
    let layers = contents.layers.len();
    let files: usize = contents
        .layers
        .iter()
        .map(|layer| layer.entries.len())
        .sum();
    format!(
        "manifest, config, {layers} layer(s) with {files} entries and {pieces} signed piece(s) \
         have their digests"
    )
}
