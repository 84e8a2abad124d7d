//! Signatures and provenance that are missing or wrong are refused, with the reason in the finding of the rule.

#![expect(clippy::unwrap_used, reason = "a test may")]

#[path = "../case/mod.rs"]
mod case;
mod signatures;

use attest::Provenance;
use attest::predicate::COSIGN_SIGN;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use case::{
    Case, PROVENANCE, REPOSITORY, SBOM, bundle, honest_predicates, honest_provenance,
    legacy_signature, legacy_statement, piece, statement, tag, to_value,
};
use content::Digest;
use serde_json::{Value, json};
use signature::{KeyType, PrivateKey};
use verifier::evidence::Rebuild;
use verifier::finding::{Outcome, Rule};
use verifier::published::Form;
use verifier::report::detail;
use verifier::verdict::Verdict;

fn noted(verdict: &Verdict, words: &str) -> bool {
    let mut notes = verdict
        .findings()
        .iter()
        .filter(|found| found.outcome() == Outcome::Note);
    notes.any(|note| detail(note).contains(words))
}

// provenance

#[test]
fn provenance_by_an_unknown_key_or_another_principal_does_not_count() {
    for signer in ["unknown", "collaborator"] {
        let mut case = Case::passing();
        case.published
            .pieces
            .retain(|piece| piece.claimed_type.as_deref() != Some(Provenance::PREDICATE.uri));
        let key = match signer {
            "unknown" => &case.keys.unknown,
            _ => &case.keys.collaborator,
        };
        let (kind, value) = honest_predicates()[0].clone();
        let payload = statement(REPOSITORY, &case.image.digest, kind, value);
        case.published.pieces.push(bundle(key, kind, payload));
        case.refused_by(&[PROVENANCE], "signed by builder");
    }
}

#[test]
fn every_field_of_provenance_is_compared() {
    type Change = fn(&mut Provenance);
    let cases: [(&str, Change); 9] = [
        ("builder.id", |p| p.run_details.builder.id += "/"),
        ("buildType", |p| p.build_definition.build_type += "2"),
        ("externalParameters.source", |p| {
            p.build_definition
                .external_parameters
                .insert("source".into(), json!("git+x"));
        }),
        ("externalParameters.extra", |p| {
            p.build_definition
                .external_parameters
                .insert("extra".into(), json!(1));
        }),
        ("externalParameters.directory", |p| {
            p.build_definition.external_parameters.remove("directory");
        }),
        ("source", |p| {
            p.build_definition.resolved_dependencies[0].uri = Some("git+x".into())
        }),
        ("resolvedDependencies, source", |p| {
            let source = &mut p.build_definition.resolved_dependencies[0];
            source.digest.insert("gitCommit".into(), "f".repeat(40));
        }),
        ("resolvedDependencies, Image.lock", |p| {
            let lock = &mut p.build_definition.resolved_dependencies[1];
            lock.digest.insert("sha256".into(), "0".repeat(64));
        }),
        ("resolvedDependencies, pkg:cargo/p256@0.14.0", |p| {
            p.build_definition.resolved_dependencies.pop();
        }),
    ];
    for (what, change) in cases {
        Case::with_provenance(change).refused_by(&[PROVENANCE], what);
    }
}

#[test]
fn a_repository_that_the_rebuild_does_not_have_is_refused() {
    let case = Case::with_provenance(|provenance| {
        let dependencies = &mut provenance.build_definition.resolved_dependencies;
        dependencies.push(case::dependency("git+evil", &[("gitCommit", case::COMMIT)]));
    });
    case.refused_by(&[PROVENANCE], "git+evil");
}

#[test]
fn repositories_that_crates_come_from_are_no_sources() {
    const CRATES: &str = "git+https://crates.example";
    let other = "f".repeat(40);
    let with_crates = |provenance: &mut Provenance, at: usize, commit: &str| {
        let crates = case::dependency(CRATES, &[("gitCommit", commit)]);
        let dependencies = &mut provenance.build_definition.resolved_dependencies;
        dependencies.insert(at, crates);
    };
    let claimed = |at: usize, commit: &str| {
        let mut case = Case::with_provenance(|provenance| with_crates(provenance, at, commit));
        let Rebuild::Done(rebuilt) = &mut case.rebuild else {
            unreachable!("a case has a rebuild")
        };
        with_crates(&mut rebuilt.provenance, 3, &other);
        case
    };
    assert!(matches!(claimed(3, &other).verdict(), Verdict::Pass(_)));
    claimed(3, case::COMMIT).refused_by(&[PROVENANCE], CRATES);
    claimed(0, &other).refused_by(&[PROVENANCE], CRATES);
}

#[test]
fn provenance_of_another_image_does_not_count() {
    let mut case = Case::passing();
    case.published.pieces.truncate(2);
    let other = Digest::of(b"other");
    for (kind, value) in honest_predicates() {
        let payload = statement(REPOSITORY, &other, kind, value);
        case.published
            .pieces
            .push(bundle(&case.keys.builder, kind, payload));
    }
    case.refused_by(&[PROVENANCE, SBOM], "statement about this image");
}

#[test]
fn provenance_for_another_repository_does_not_hold() {
    let mut case = Case::passing();
    case.published.pieces.truncate(2);
    for (kind, value) in honest_predicates() {
        let payload = statement(
            "127.0.0.1:5000/old/workload",
            &case.image.digest,
            kind,
            value,
        );
        case.published
            .pieces
            .push(bundle(&case.keys.builder, kind, payload));
    }
    case.refused_by(&[PROVENANCE, SBOM], "subject name");
}

#[test]
fn a_statement_with_two_subjects_does_not_count() {
    let mut case = Case::passing();
    case.published.pieces.truncate(2);
    for (kind, value) in honest_predicates() {
        let payload = statement(REPOSITORY, &case.image.digest, kind, value);
        let mut document: Value = serde_json::from_slice(&payload).unwrap();
        let twice = document["subject"][0].clone();
        document["subject"].as_array_mut().unwrap().push(twice);
        let payload = document.to_string().into_bytes();
        case.published
            .pieces
            .push(bundle(&case.keys.builder, kind, payload));
    }
    case.refused_by(&[PROVENANCE, SBOM], "statement about this image");
}

#[test]
fn a_statement_does_not_count_as_another_type() {
    let mut case = Case::passing();
    case.published.pieces.truncate(2);
    let [(provenance, _), (sbom, bill)] = honest_predicates();
    let payload = statement(REPOSITORY, &case.image.digest, sbom, bill);
    // Hung under provenance, signed as a bill of materials.
    case.published
        .pieces
        .push(bundle(&case.keys.builder, provenance, payload));
    case.refused_by(&[PROVENANCE], "signed predicate type");
}

#[test]
fn a_statement_attached_as_another_type_changes_nothing() {
    let mut case = Case::passing();
    let [(provenance, _), (sbom, bill)] = honest_predicates();
    let payload = statement(REPOSITORY, &case.image.digest, sbom, bill);
    case.published
        .pieces
        .push(bundle(&case.keys.builder, provenance, payload));
    let verdict = case.verdict();
    assert!(
        matches!(verdict, Verdict::Pass(_)),
        "{:#?}",
        verdict.findings()
    );
    assert!(noted(&verdict, ", but signed as"));
}

#[test]
fn a_bill_of_materials_signed_as_provenance_is_not_read_as_one() {
    let mut case = Case::passing();
    case.published.pieces.truncate(2);
    let [(provenance, _), (sbom, bill)] = honest_predicates();
    for kind in [provenance, sbom] {
        let payload = statement(REPOSITORY, &case.image.digest, kind, bill.clone());
        case.published
            .pieces
            .push(legacy_statement(&case.keys.builder, kind, payload));
    }
    case.refused_by(
        &[PROVENANCE],
        "statement: expected https://slsa.dev/provenance/v1, found ",
    );
}

#[test]
fn another_payload_type_is_not_a_statement() {
    let mut case = Case::passing();
    case.published.pieces.truncate(2);
    for (kind, value) in honest_predicates() {
        let payload = statement(REPOSITORY, &case.image.digest, kind, value);
        let key = &case.keys.builder;
        let signature = key
            .sign(&signature::envelope::pae("text/plain", &payload))
            .unwrap();
        let envelope = signature::envelope::Envelope::new("text/plain", payload, "", signature);
        let bytes = envelope.to_bytes().unwrap();
        case.published
            .pieces
            .push(piece(tag(".att"), Form::Envelope, Some(kind), bytes));
    }
    case.refused_by(&[PROVENANCE, SBOM], "statement about this image");
}

#[test]
fn a_worse_statement_beside_a_good_one_is_noted() {
    let mut case = Case::passing();
    let mut worse = honest_provenance();
    worse.run_details.builder.id = "https://other.example".to_owned();
    let kind = Provenance::PREDICATE.uri;
    let payload = statement(REPOSITORY, &case.image.digest, kind, to_value(&worse));
    case.published
        .pieces
        .push(bundle(&case.keys.builder, kind, payload));
    let verdict = case.verdict();
    assert!(
        matches!(verdict, Verdict::Pass(_)),
        "{:#?}",
        verdict.findings()
    );
    let mut findings = verdict.findings().iter();
    assert!(
        findings.any(|found| detail(found).contains("another statement, which does not match"))
    );
}
