//! Which rebuilds pass: of which commit and directory, and with which crates.

use super::*;

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
fn a_component_of_which_a_rebuild_shows_nothing_is_refused() {
    for component in [
        json!({"type": "library", "name": "musl", "version": "1", "purl": "pkg:apk/alpine/musl@1"}),
        json!({"type": "operating-system", "name": "pkg:deb/debian/os", "version": "12"}),
    ] {
        let mut sbom = case::to_value(&honest_sbom());
        let components = sbom["components"].as_array_mut().unwrap();
        components.push(component);
        let provenance = case::to_value(&case::honest_provenance());
        let refused = Case::with_statements(provenance, sbom);
        refused.refused_by(&[SBOM], "found a component without files");
    }
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
