//! Which rebuilds pass: of which commit and directory, and with which crates.

use attest::Provenance;
use attest::provenance::IMAGE;

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

/// The passing case, with a bill of materials that its rebuild has, and one that was published.
fn billed(rebuilt_sbom: &attest::Sbom, published: &attest::Sbom) -> Case {
    let mut case = Case::with_sbom(published);
    let Rebuild::Done(rebuilt) = &mut case.rebuild else {
        panic!("the case has no rebuild");
    };
    rebuilt.sbom = rebuilt_sbom.clone();
    case
}

#[test]
fn a_package_that_is_linked_and_left_out_is_found() {
    let package = attest::sbom::DebianPackage {
        name: "zlib1g-dev",
        version: "1:1.2.13.dfsg-1",
        architecture: "amd64",
        distribution: Some("debian-12"),
        source: Some("zlib"),
    };
    let purl = attest::sbom::package_purl(&package);
    let mut whole = honest_sbom();
    whole.add_package(&package, Digest::of(b"zlib"));
    whole.add_link("/workload", &purl);
    assert!(matches!(billed(&whole, &whole).verdict(), Verdict::Pass(_)));
    let left_out = billed(&whole, &honest_sbom());
    left_out.refused_by(&[SBOM], &format!("package {purl}: expected "));
    let too_much = billed(&honest_sbom(), &whole);
    too_much.refused_by(&[SBOM], &format!("package {purl}: expected none, found "));
    let mut other = honest_sbom();
    other.add_package(&package, Digest::of(b"another archive"));
    billed(&whole, &other).refused_by(&[SBOM], &format!("package {purl}: expected "));
}

#[test]
fn the_base_image_is_that_of_the_rebuild() {
    let above = |repository: &str, base: &[u8]| {
        let mut sbom = honest_sbom();
        let (path, bytes) = FILES[1];
        let files = [(format!("/{path}"), Digest::of(bytes))];
        sbom.set_base(repository, Digest::of(base), files.into_iter());
        sbom
    };
    let honest = above("registry.example/debian", b"base");
    let purl = &honest.base().unwrap().purl;
    assert!(matches!(
        billed(&honest, &honest).verdict(),
        Verdict::Pass(_)
    ));
    let expected = format!("base image {purl}: expected ");
    for other in [
        honest_sbom(),
        above("registry.example/debian", b"another base"),
        above("registry.example/other/debian", b"base"),
    ] {
        billed(&honest, &other).refused_by(&[SBOM], &expected);
    }
    let none = format!("base image {purl}: expected none, found ");
    billed(&honest_sbom(), &honest).refused_by(&[SBOM], &none);
}

/// A program of Go that is made of one module.
fn go(module: &str) -> Vec<u8> {
    let mark = "m".repeat(16);
    let modules = format!("{mark}path\t{module}\nmod\t{module}\t(devel)\t\n{mark}");
    let mut info = b"\xff Go buildinf:\x08\x02".to_vec();
    info.resize(32, 0);
    for text in ["go1.26.0", &modules] {
        info.push(text.len().try_into().unwrap());
        info.extend(text.bytes());
    }
    bills::program::program(".go.buildinfo", &info)
}

const TOOL: &str = "usr/bin/tool";

/// A bill of materials in which a package contains this program.
fn with_tool(program: &[u8]) -> attest::Sbom {
    let package = attest::sbom::DebianPackage {
        name: "tool",
        version: "1-1",
        architecture: "amd64",
        distribution: None,
        source: None,
    };
    let path = format!("/{TOOL}");
    let mut sbom = honest_sbom();
    sbom.add_package(&package, Digest::of(b"tool.deb"));
    sbom.add_file(&path, Digest::of(program));
    sbom.add_contained(&attest::sbom::package_purl(&package), [path].into_iter());
    sbom
}

/// An image with a program at the place of a package's, and a rebuild that has the package's.
fn with_program(program: &[u8], rebuilt_sbom: attest::Sbom, published: &attest::Sbom) -> Case {
    let image = [FILES[0], FILES[1], (TOOL, program)];
    let mut case = bills::billed(&image, bills::CYCLONEDX, case::to_value(published));
    let Rebuild::Done(mut rebuilt) = Case::bare().rebuild else {
        panic!("the case has no rebuild");
    };
    let tool = go("example.org/tool");
    rebuilt.contents = stored(&[FILES[0], FILES[1], (TOOL, &tool)]).contents();
    rebuilt.sbom = rebuilt_sbom;
    case.rebuild = Rebuild::Done(rebuilt);
    case
}

#[test]
fn modules_of_a_package_s_program_need_no_component() {
    let (tool, evil) = (go("example.org/tool"), go("example.org/evil"));
    let honest = with_tool(&tool);
    bills::passes(&with_program(&tool, honest.clone(), &honest));
    // Another program in its place, which the published bill of materials says to be the package's.
    let hidden = with_program(&evil, honest.clone(), &with_tool(&evil));
    hidden.refused_by(&[SBOM, Rule::Rebuild], &format!("file {TOOL}: expected "));
    // A program of the source, which the published bill of materials says to be a package's.
    let mut own = honest_sbom();
    own.add_file(&format!("/{TOOL}"), Digest::of(&tool));
    let said = format!("module example.org/tool (devel) of program {TOOL} is no component");
    with_program(&tool, own, &honest).refused_by(&[SBOM], &said);
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

/// The passing case, in which the rebuild, provenance of the image, and the policy name these images of the file.
fn of_images([rebuilt, published, pinned]: [Option<&str>; 3]) -> Case {
    let name = |provenance: &mut Provenance, image: Option<&str>| {
        let parameters = &mut provenance.build_definition.external_parameters;
        parameters.extend(image.map(|image| (IMAGE.to_owned(), json!(image))));
    };
    let mut case = Case::with_provenance(|provenance| name(provenance, published));
    if let Rebuild::Done(done) = &mut case.rebuild {
        name(&mut done.provenance, rebuilt);
    }
    if let Some(pinned) = pinned {
        let pin = format!("[source]\nimage = \"{pinned}\"");
        case.policy = case.policy.replacen("[source]", &pin, 1);
    }
    case
}

#[test]
fn one_image_of_a_file_does_not_pass_as_another() {
    let (server, worker) = (Some("server"), Some("worker"));
    let verdict = of_images([server; 3]).verdict();
    assert!(
        matches!(verdict, Verdict::Pass(_)),
        "{:#?}",
        verdict.findings()
    );
    let other = "expected \"server\", found \"worker\"";
    for (images, rules, reason) in [
        ([worker, server, server], &[Rule::Rebuild][..], other),
        ([server, worker, server], &[PROVENANCE], other),
        (
            [None, server, server],
            &[Rule::Rebuild],
            "expected \"server\", found none",
        ),
        (
            [server, server, None],
            &[PROVENANCE, Rule::Rebuild],
            "expected none, found \"server\"",
        ),
    ] {
        of_images(images).refused_by(rules, reason);
    }
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
