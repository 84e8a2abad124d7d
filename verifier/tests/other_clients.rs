//! Signatures that other clients write count too.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod case;

use attest::predicate::COSIGN_SIGN;
use case::{
    Case, Keys, REPOSITORY, bundle, honest_predicates, legacy_signature, piece, sealed, statement,
    tag,
};
use serde_json::{Value, json};
use signature::PrivateKey;
use verifier::published::Form;
use verifier::verdict::Verdict;

/// A statement signed by several keys in one envelope.
fn envelope(case: &Case, signers: &[&PrivateKey]) -> Vec<u8> {
    let digest = &case.image.digest;
    let payload = statement(REPOSITORY, digest, COSIGN_SIGN, json!({}));
    let envelopes = signers.iter().map(|key| {
        let bytes = sealed(key, payload.clone()).to_bytes().unwrap();
        serde_json::from_slice::<Value>(&bytes).unwrap()
    });
    let merged = envelopes.reduce(|mut all, mut other| {
        let more = other["signatures"].as_array_mut().unwrap();
        all["signatures"].as_array_mut().unwrap().append(more);
        all
    });
    merged.unwrap().to_string().into_bytes()
}

#[test]
fn an_envelope_counts_for_each_principal_that_signed_it() {
    for (signers, passes) in [
        (&["unknown", "collaborator", "builder"][..], true),
        (&["unknown", "builder"], false),
        (&["builder"], false),
    ] {
        let mut case = Case::passing();
        case.policy = case.policy.replace("threshold = 1", "threshold = 2");
        case.published.pieces.drain(..2);
        let signers: Vec<_> = signers.iter().map(|name| key(&case.keys, name)).collect();
        let bytes = envelope(&case, &signers);
        let kind = Some(COSIGN_SIGN);
        let piece = piece(tag(".att"), Form::Envelope, kind, bytes);
        case.published.pieces.push(piece);
        let verdict = case.verdict();
        let found = verdict.findings();
        assert_eq!(matches!(verdict, Verdict::Pass(_)), passes, "{found:#?}");
    }
}

fn key<'a>(keys: &'a Keys, name: &str) -> &'a PrivateKey {
    match name {
        "builder" => &keys.builder,
        "collaborator" => &keys.collaborator,
        _ => &keys.unknown,
    }
}

/// cosign and crane write the name of the host that serves the registry, policies its usual name.
#[test]
fn a_repository_counts_in_each_of_its_spellings() {
    let mut case = Case::passing();
    let named = "docker.io/org/app";
    let answering = "index.docker.io/org/app";
    case.policy = case.policy.replace(REPOSITORY, named);
    let digest = case.image.digest;
    case.published.image = format!("{named}@{digest}").parse().unwrap();
    let key = &case.keys.builder;
    let mut pieces = vec![legacy_signature(key, answering, &digest)];
    for (kind, value) in honest_predicates() {
        pieces.push(bundle(
            key,
            kind,
            statement(answering, &digest, kind, value),
        ));
    }
    case.published.pieces = pieces;
    let verdict = case.verdict();
    assert!(
        matches!(verdict, Verdict::Pass(_)),
        "{:#?}",
        verdict.findings()
    );
}
