//! The passing case passes. Each rule refuses what it must refuse, and its finding has the reason.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod case;

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
            "the crates of the rebuild were not compared with the registry: no network",
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
        sbom.add_crate(&item.name, &item.version, item.digest);
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
    Case::with_sbom(&sbom).refused_by(&[SBOM], "file ./workload");
    let mut sbom = honest_sbom();
    sbom.add_file("//workload", Digest::of(FILES[0].1));
    Case::with_sbom(&sbom).refused_by(&[SBOM], "file /workload");
    let mut sbom = honest_sbom();
    sbom.add_file("/workload", Digest::of(b"another program"));
    Case::with_sbom(&sbom).refused_by(&[SBOM], "file workload");
}

#[test]
fn the_crates_are_those_of_the_rebuild() {
    let mut sbom = honest_sbom();
    sbom.add_crate("evil", "1.0.0", Digest::of(b"evil"));
    Case::with_sbom(&sbom).refused_by(&[SBOM], "crate pkg:cargo/evil@1.0.0");
    let mut sbom = honest_sbom();
    sbom.add_crate("p256", "0.14.0", Digest::of(b"patched p256"));
    Case::with_sbom(&sbom).refused_by(&[SBOM], "crate pkg:cargo/p256@0.14.0");
}

#[test]
fn without_a_rebuild_a_note_says_what_was_not_compared() {
    let mut sbom = honest_sbom();
    let bare = attest::Sbom::new();
    for kept in [&mut sbom, &mut bare.clone()] {
        for (path, bytes) in FILES {
            kept.add_file(&format!("/{path}"), Digest::of(bytes));
        }
        let mut case = Case::with_sbom(kept);
        case.policy = case.policy.replace("require = true", "require = false");
        case.rebuild = Rebuild::Absent;
        let verdict = case.verdict();
        assert!(matches!(verdict, Verdict::Pass(_)));
        for (rule, what) in [
            (SBOM, "crates and packages were not compared"),
            (PROVENANCE, "resolved dependencies were not compared"),
        ] {
            let mut findings = verdict.findings().iter();
            let found = findings.any(|it| it.rule() == rule && detail(it).starts_with(what));
            assert!(found, "{:#?}", verdict.findings());
        }
    }
}

// rebuild

#[test]
fn an_image_of_other_source_is_refused_and_the_file_named() {
    let mut case = Case::passing();
    let other = [
        FILES[0],
        ("etc/countersign/terms.json", b"{\"signers\":[]}".as_slice()),
    ];
    let Rebuild::Done(rebuilt) = &mut case.rebuild else {
        panic!("the case has no rebuild");
    };
    rebuilt.contents = stored(&other).contents();
    case.refused_by(
        &[SBOM, Rule::Rebuild],
        "layer 0, file etc/countersign/terms.json",
    );
}

#[test]
fn a_missing_rebuild_is_refused_if_required() {
    let mut case = Case::passing();
    case.rebuild = Rebuild::Absent;
    case.refused_by(
        &[Rule::Rebuild],
        "expected one by this verifier, found none",
    );
    case.policy = case.policy.replace("require = true", "require = false");
    assert!(matches!(case.verdict(), Verdict::Pass(_)));
}

#[test]
fn an_earlier_rebuild_is_named_as_such() {
    let mut case = Case::passing();
    let Rebuild::Done(rebuilt) = &mut case.rebuild else {
        panic!("the case has no rebuild");
    };
    rebuilt.timing = Timing::Earlier {
        layout: "/mine/rebuilt".into(),
        source: "/mine/source".to_owned(),
    };
    let verdict = case.verdict();
    let mut findings = verdict.findings().iter();
    let rebuild = findings
        .find(|found| found.rule() == Rule::Rebuild)
        .unwrap();
    assert_eq!(rebuild.outcome(), Outcome::Pass);
    let words = format!("an earlier rebuild of commit {COMMIT} of /mine/source (/mine/rebuilt)");
    assert!(detail(rebuild).starts_with(&words), "{}", detail(rebuild));
    let evidence = Evidence::new(
        examine(case.published, &Principals::default(), NOW),
        case.rebuild,
    );
    let report = verifier::report::json(&verdict, &evidence);
    let origin = json!({"layout": "/mine/rebuilt", "source": "/mine/source"});
    assert_eq!(report["rebuilt"]["origin"], origin);
}

#[test]
fn a_source_without_the_commit_or_that_does_not_build_is_a_failure() {
    let mut case = Case::passing();
    case.rebuild = Rebuild::NoCommit {
        source: "/source".to_owned(),
        commit: COMMIT.to_owned(),
    };
    let reason = format!("source: expected commit {COMMIT} in /source, found none");
    case.refused_by(&[Rule::Rebuild], &reason);
    case.rebuild = Rebuild::Refused {
        commit: COMMIT.to_owned(),
        reason: "crate p256 has another digest".to_owned(),
    };
    case.refused_by(&[Rule::Rebuild], "crate p256 has another digest");
}

#[test]
fn a_rebuild_of_another_directory_is_a_refusal() {
    let mut case = Case::passing();
    let Rebuild::Done(rebuilt) = &mut case.rebuild else {
        panic!("the case has no rebuild");
    };
    let parameters = &mut rebuilt.provenance.build_definition.external_parameters;
    parameters.insert("directory".to_owned(), json!("other"));
    case.refused_by(&[Rule::Rebuild], "expected workload, found other");
    case.rebuild = Rebuild::Linked {
        commit: COMMIT.to_owned(),
        link: "workload".to_owned(),
    };
    case.refused_by(
        &[Rule::Rebuild],
        "expected a directory, found a symbolic link",
    );
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
    verifier::grant::Grant::parse(&read("grant.toml")).unwrap();
}

// the pinned commit

/// The passing case by a policy that pins `commit`.
fn pinned(commit: &str) -> Case {
    let mut case = Case::passing();
    let pin = format!("[source]\ncommit = \"{commit}\"");
    case.policy = case.policy.replacen("[source]", &pin, 1);
    case
}

#[test]
fn the_pinned_commit_passes_and_no_other() {
    let verdict = pinned(COMMIT).verdict();
    assert!(
        matches!(verdict, Verdict::Pass(_)),
        "{:#?}",
        verdict.findings()
    );
    let other = "f".repeat(40);
    let case = pinned(&other);
    let reason = format!("{other}, which the policy pins, found {COMMIT}");
    case.refused_by(&[PROVENANCE, Rule::Rebuild], &reason);
    let reason = format!("commit: expected {other}, found {COMMIT}");
    case.refused_by(&[PROVENANCE, Rule::Rebuild], &reason);
}

#[test]
fn the_pinned_commit_holds_without_a_rebuild() {
    let mut case = pinned(&"f".repeat(40));
    case.policy = case.policy.replacen("require = true", "require = false", 1);
    case.rebuild = Rebuild::Absent;
    case.refused_by(&[PROVENANCE], &format!("found {COMMIT}"));
}

#[test]
fn the_pinned_commit_holds_without_provenance() {
    let mut case = pinned(&"f".repeat(40));
    case.policy = case.policy.replacen("\"provenance\", ", "", 1);
    case.refused_by(&[Rule::Rebuild], &format!("found {COMMIT}"));
}
