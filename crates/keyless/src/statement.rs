//! What a statement must be before its subjects are compared (in-toto attestation framework, statement v1).

use std::collections::BTreeMap;

use content::{json, limits};
use serde::Deserialize;
use serde_json::Value;
use signature::envelope::IN_TOTO;
use sigstore_verify::types::HashAlgorithm;

use crate::{Artifact, Reason, Refusal};

const KINDS: [&str; 2] = [
    "https://in-toto.io/Statement/v1",
    // What `cosign attest` and older generators write.
    "https://in-toto.io/Statement/v0.1",
];
/// The most digests of one subject: the limit of sigstore-go.
const DIGESTS: usize = 32;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    _predicate_type: String,
    // Names in a predicate are for the readers of that predicate.
    #[serde(rename = "predicate")]
    _predicate: Option<Value>,
}

#[derive(Deserialize)]
struct Subject {
    digest: BTreeMap<String, String>,
}

/// Checks that a payload is a statement that all readers understand alike, with limited subjects.
pub(crate) fn check(payload_type: &str, payload: &[u8]) -> Result<(), Refusal> {
    if payload_type != IN_TOTO {
        let detail = format!("expected payload type {IN_TOTO}, found {payload_type}");
        return Err(Refusal::new(Reason::PayloadType, detail));
    }
    let statement = json::parse::<Statement>(payload, limits::STATEMENT)
        .map_err(|error| refused(format!("parsing statement: {error}")))?;
    if !KINDS.contains(&statement.kind.as_str()) {
        let kind = statement.kind;
        return Err(refused(format!("unknown type of statement {kind}")));
    }
    let subjects = statement.subject.len();
    let digests = statement.subject.iter().map(|subject| subject.digest.len());
    let digests = digests.max().unwrap_or_default();
    if subjects > limits::SUBJECTS || digests > DIGESTS {
        let detail = format!("{subjects} subjects with up to {digests} digests are too many");
        return Err(Refusal::new(Reason::Count, detail));
    }
    match subjects {
        0 => Err(refused("the statement has no subject".to_owned())),
        _ => Ok(()),
    }
}

/// Checks that the artifact is a subject of a checked statement: "subjects are matched purely by digest".
pub(crate) fn check_subject(payload: &[u8], artifact: &Artifact<'_>) -> Result<(), Refusal> {
    let statement = json::parse::<Statement>(payload, limits::STATEMENT)
        .map_err(|error| refused(format!("parsing statement: {error}")))?;
    let algorithms = [
        ("sha256", HashAlgorithm::Sha2256),
        ("sha512", HashAlgorithm::Sha2512),
    ];
    let digests = algorithms.map(|(name, algorithm)| Ok((name, artifact.digest(algorithm)?)));
    // Any error is that only a digest of a third algorithm is known.
    if let [Err(refusal), Err(_)] = digests {
        return Err(refusal);
    }
    let is_subject = digests.into_iter().flatten().any(|(name, digest)| {
        let digest = digest.value().to_hex();
        let mut subjects = statement.subject.iter();
        subjects.any(|subject| subject.digest.get(name) == Some(&digest))
    });
    match is_subject {
        true => Ok(()),
        false => {
            let detail = "the artifact is not a subject of the statement";
            Err(Refusal::new(Reason::Artifact, detail))
        }
    }
}

fn refused(detail: String) -> Refusal {
    Refusal::new(Reason::Statement, detail)
}
