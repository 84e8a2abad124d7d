//! The passing case passes. Each rule refuses what it must refuse, and its finding has the reason.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod bills;
#[path = "../case/mod.rs"]
mod case;
mod rebuilds;

use attest::Vsa;
use case::{
    COMMIT, Case, FILES, NOW, PROVENANCE, REPOSITORY, SBOM, honest_sbom, piece, sealed, statement,
    stored, tag,
};
use content::Digest;
use serde_json::json;
use trust::{Identity, Principals};
use verifier::damage::{Damage, Part};
use verifier::evidence::{Evidence, Rebuild, RegistryCheck, Timing};
use verifier::examine::examine;
use verifier::finding::{Outcome, Rule, Subject};
use verifier::published::Form;
use verifier::report::detail;
use verifier::verdict::Verdict;

#[test]
fn verified_values_have_signer_and_time() {
    let case = Case::passing();
    let now = NOW + chrono::TimeDelta::days(1);
    let attested = examine(case.published.clone(), case.policy().principals(), now);
    let builder = Identity::from(case.keys.builder.public());
    let signatures = attested.signatures().iter();
    let mut of_both = signatures.map(|signature| (signature.by(), signature.at()));
    assert!(of_both.len() == 2 && of_both.all(|of| of == (&builder, now)));
    let statements = attested.statements().iter();
    let mut of_all = statements.map(|statement| (statement.by(), statement.at()));
    assert!(of_all.len() == 5 && of_all.all(|of| of == (&builder, now)));
}

#[test]
fn the_whole_case_passes() {
    let verdict = Case::passing().verdict();
    assert!(
        matches!(verdict, Verdict::Pass(_)),
        "{:#?}",
        verdict.findings()
    );
    for rule in Rule::all() {
        let mut findings = verdict.findings().iter();
        assert!(findings.any(|found| found.rule() == rule && found.outcome() == Outcome::Pass));
    }
}

#[test]
fn the_verdict_says_whether_crates_were_compared_with_the_registry() {
    for (check, expected) in [
        (
            RegistryCheck::Made,
            "each crate of the rebuild has the digest that the registry has",
        ),
        (
            RegistryCheck::NotMade {
                reason: "no network".to_owned(),
            },
            "the crates or modules of the rebuild were not compared with their registry: no network",
        ),
    ] {
        let mut case = Case::passing();
        let Rebuild::Done(rebuilt) = &mut case.rebuild else {
            unreachable!("the passing case has a rebuild");
        };
        rebuilt.registry = check;
        let verdict = case.verdict();
        assert!(matches!(verdict, Verdict::Pass(_)));
        let mut found = verdict.findings().iter();
        assert!(
            found.any(|one| one.outcome() == Outcome::Note && detail(one) == expected),
            "{:#?}",
            verdict.findings()
        );
    }
}

#[test]
fn a_rebuild_without_crates_was_compared_with_no_registry() {
    let mut case = Case::passing();
    let Rebuild::Done(rebuilt) = &mut case.rebuild else {
        unreachable!("the passing case has a rebuild");
    };
    let inputs = &mut rebuilt.provenance.build_definition.resolved_dependencies;
    inputs.retain(|input| {
        input
            .uri
            .as_ref()
            .is_none_or(|uri| !uri.contains("pkg:cargo/"))
    });
    let verdict = case.verdict();
    let mut findings = verdict.findings().iter();
    assert!(
        findings.all(|one| !detail(one).contains("registry")),
        "{findings:?}"
    );
}

#[test]
fn either_layout_alone_passes() {
    for legacy in [true, false] {
        let mut case = Case::passing();
        case.published
            .pieces
            .retain(|piece| (piece.form != Form::Bundle) == legacy);
        assert_eq!(case.published.pieces.len(), 3);
        let verdict = case.verdict();
        assert!(
            matches!(verdict, Verdict::Pass(_)),
            "{:#?}",
            verdict.findings()
        );
    }
}

#[test]
fn without_anything_signed_every_rule_still_runs() {
    Case::bare().refused_by(
        &[Rule::Signatures, PROVENANCE, SBOM],
        "signature of builder",
    );
}

// integrity

#[test]
fn damage_is_a_refusal_though_the_rest_holds() {
    let mut case = Case::passing();
    case.published.damage.push(Damage {
        what: Part::Layer(0),
        expected: "sha256:aa".into(),
        found: "sha256:bb".into(),
    });
    case.refused_by(
        &[Rule::Integrity],
        "layer 0: expected sha256:aa, found sha256:bb",
    );
    let verdict = case.verdict();
    let [failure] = case::failures(&verdict)[..] else {
        panic!("{verdict:?}");
    };
    assert_eq!(failure.subject(), &Subject::Part(Part::Layer(0)));
    assert_eq!(failure.expected(), &"sha256:aa".into());
    assert_eq!(failure.actual(), &"sha256:bb".into());
}

#[test]
fn contents_of_another_image_are_damage() {
    let mut case = Case::passing();
    let other = stored(&[("workload", b"another program".as_slice())]).contents();
    let found = other.image().image_digest();
    case.published.contents = Some(other);
    case.refused_by(
        &[Rule::Integrity],
        &format!("manifest: expected {}, found {found}", case.image.digest),
    );
}

#[test]
fn an_image_that_was_not_read_is_a_refusal() {
    let mut case = Case::passing();
    case.published.contents = None;
    case.refused_by(&[Rule::Integrity], ", found none");
}

// repository

#[test]
fn another_repository_is_refused() {
    let mut case = Case::passing();
    case.published.image = format!("127.0.0.1:5000/old/workload@{}", case.image.digest)
        .parse()
        .unwrap();
    case.refused_by(&[Rule::Repository], "old/workload");
}

// sbom

#[test]
fn a_file_that_the_bill_leaves_out_is_named() {
    let mut sbom = attest::Sbom::new();
    sbom.add_file("/workload", Digest::of(FILES[0].1));
    for item in honest_sbom().crates() {
        sbom.add_crate(&item.name, &item.version, item.digest.unwrap());
    }
    Case::with_sbom(&sbom).refused_by(&[SBOM], "file etc/countersign/terms.json");
}

#[test]
fn a_listed_file_that_is_missing_or_differs_is_named() {
    let mut sbom = honest_sbom();
    sbom.add_file("/ghost", Digest::of(b"ghost"));
    Case::with_sbom(&sbom).refused_by(&[SBOM], "file ghost");
    let mut sbom = honest_sbom();
    sbom.add_file("workload", Digest::of(b"another program"));
    Case::with_sbom(&sbom).refused_by(&[SBOM], "found file workload is listed twice");
    let mut sbom = honest_sbom();
    sbom.add_file("//workload", Digest::of(FILES[0].1));
    Case::with_sbom(&sbom).refused_by(&[SBOM], "file /workload");
    let mut sbom = honest_sbom();
    sbom.add_file("/workload", Digest::of(b"another program"));
    Case::with_sbom(&sbom).refused_by(&[SBOM], "file workload");
}

#[test]
fn what_a_policy_does_not_require_is_skipped() {
    let mut case = Case::passing();
    case.policy = case.policy.replace("[\"provenance\", \"sbom\"]", "[]");
    case.published.pieces.truncate(2);
    let verdict = case.verdict();
    assert!(
        matches!(verdict, Verdict::Pass(_)),
        "{:#?}",
        verdict.findings()
    );
    let skipped = verdict
        .findings()
        .iter()
        .filter(|found| found.outcome() == Outcome::Skipped);
    assert_eq!(skipped.count(), 2);
}

#[test]
fn an_envelope_of_another_statement_about_the_image_changes_nothing() {
    let mut case = Case::passing();
    let payload = statement(
        REPOSITORY,
        &case.image.digest,
        Vsa::PREDICATE.uri,
        json!({}),
    );
    let bytes = sealed(&case.keys.collaborator, payload).to_bytes().unwrap();
    case.published.pieces.push(piece(
        tag(".att"),
        Form::Envelope,
        Some(Vsa::PREDICATE.uri),
        bytes,
    ));
    assert!(matches!(case.verdict(), Verdict::Pass(_)));
}

// the examples that people start from

#[test]
fn the_example_policy_and_grant_can_be_used() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let no_files = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
    let policy = verifier::policy::Policy::parse(&read("release.toml"), &no_files).unwrap();
    assert_eq!(policy.principals().len(), 2);
    grant::Grant::parse(&read("grant.toml")).unwrap();
}
