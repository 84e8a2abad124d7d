//! `[advisories]` in a policy, and `verifier check sbom --advisories`.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod advised;
mod case;
mod command;
#[path = "advised/debian.rs"]
mod debian;

use advised::{Advised, PURL, advisory, cyclonedx, vex};
use serde_json::{Value, json};

const REFUSED: &str = "FAIL advisories: RUSTSEC-1969-0001, CVE-1969-1 (high) about pkg:cargo/p256@0.14.0: expected version 0.14.1, \
                       found 0.14.0";
const PASS: &str = "pass advisories: advisories: 2 packages were compared with advisories; 1 of crates.io, the newest of 1969-12-01T00:00:00+00:00";

#[track_caller]
fn refused(advised: &Advised) {
    assert_eq!(advised.said(), REFUSED);
}

#[test]
fn an_advisory_about_a_package_is_refused() {
    refused(&Advised::new(""));
    refused(&Advised::new("fail = [\"high\"]"));
    // Without a rebuild, the bill of materials lists the packages.
    let advised = Advised::new("").without_rebuild();
    assert!(advised.said().starts_with(REFUSED), "{}", advised.said());
}

#[test]
fn another_level_another_version_or_a_withdrawn_advisory_is_not() {
    let said = Advised::new("fail = [\"critical\", \"unknown\"]").said();
    let note = "note advisories: RUSTSEC-1969-0001, CVE-1969-1 (high) about pkg:cargo/p256@0.14.0: the policy does not refuse this level";
    assert_eq!(said, format!("{note}\n{PASS}"));
    let with = |change: fn(&mut Value)| {
        let advised = Advised::new("");
        let mut value = advisory();
        change(&mut value);
        advised.write("osv/crates/RUSTSEC-1969-0001.json", &value);
        advised.said()
    };
    let fixed =
        with(|value| value["affected"][0]["ranges"][0]["events"][1]["fixed"] = "0.14.0".into());
    assert_eq!(fixed, PASS);
    assert_eq!(
        with(|value| value["withdrawn"] = "1969-12-05T00:00:00Z".into()),
        PASS
    );
    let unclear =
        with(|value| value["affected"][0]["ranges"][0]["events"][1]["fixed"] = "?".into());
    assert!(
        unclear.contains("expected a version that can be compared, found 0.14.0"),
        "{unclear}"
    );
    let open = with(|value| {
        drop(
            value["affected"][0]["ranges"][0]["events"]
                .as_array_mut()
                .unwrap()
                .pop(),
        )
    });
    assert!(
        open.contains("expected an answer in a VEX document, since there is no fixed version"),
        "{open}"
    );
}

#[test]
fn the_owner_of_the_policy_answers_with_a_file() {
    let advised = Advised::new("vex = [\"accepted.json\"]");
    advised.write("accepted.json", &vex(PURL));
    let answered = "note advisories: RUSTSEC-1969-0001, CVE-1969-1 (high) about pkg:cargo/p256@0.14.0: not affected, \
                    vulnerable_code_not_present, by the VEX of accepted.json";
    assert_eq!(advised.said(), format!("{answered}\n{PASS}"));
    let before = *advised.policy().unwrap().digest();
    advised.write("accepted.json", &vex("pkg:cargo/p256@0.13.0"));
    refused(&advised);
    assert_ne!(*advised.policy().unwrap().digest(), before);
}

#[test]
fn a_principal_answers_with_an_attestation() {
    let mut advised = Advised::new("vex_from = [\"collaborator\"]\nvex_max_age = \"60d\"");
    let product = format!("registry.example/app@{}", advised.case.image.digest);
    advised.attest(|case| &case.keys.collaborator, vex(&product));
    let said = advised.said();
    assert!(
        said.contains("vulnerable_code_not_present, by the VEX of collaborator"),
        "{said}"
    );
    assert!(said.ends_with(PASS), "{said}");
    // A newer statement that it is affected counts in place of the older one.
    let mut newer = vex(PURL);
    newer["timestamp"] = "1969-12-03T00:00:00Z".into();
    newer["statements"][0]["status"] = "affected".into();
    advised.attest(|case| &case.keys.collaborator, newer);
    refused(&advised);
}

#[test]
fn answers_in_cyclonedx_count_beside_those_in_openvex() {
    let reason = "not affected, code_not_reachable, by the VEX of ";
    let advised = Advised::new("vex = [\"accepted.cdx.json\"]");
    advised.write("accepted.cdx.json", &cyclonedx(PURL));
    let said = advised.said();
    assert!(
        said.contains(&format!("{reason}accepted.cdx.json")),
        "{said}"
    );
    assert!(said.ends_with(PASS), "{said}");
    let mut advised = Advised::new("vex_from = [\"collaborator\"]");
    advised.attest(|case| &case.keys.builder, cyclonedx(PURL));
    let said = advised.said();
    assert!(
        said.contains("the policy does not accept cyclonedx by builder"),
        "{said}"
    );
    assert!(said.contains(REFUSED), "{said}");
    advised.attest(|case| &case.keys.collaborator, cyclonedx(PURL));
    let said = advised.said();
    assert!(said.contains(&format!("{reason}collaborator")), "{said}");
    assert!(said.ends_with(PASS), "{said}");
    let mut newer = cyclonedx(PURL);
    newer["vulnerabilities"][0]["analysis"] =
        json!({"state": "exploitable", "lastUpdated": "1969-12-03T00:00:00Z"});
    advised.attest(|case| &case.keys.collaborator, newer.clone());
    assert!(advised.said().contains(REFUSED), "{}", advised.said());
    // One that cannot be read may take answers back.
    newer["vulnerabilities"][0]["analysis"] = json!({"state": "maybe"});
    let mut advised = Advised::new("vex_from = [\"collaborator\"]");
    advised.attest(|case| &case.keys.collaborator, cyclonedx(PURL));
    advised.attest(|case| &case.keys.collaborator, newer.clone());
    assert!(
        advised.said().contains("since it may take others back"),
        "{}",
        advised.said()
    );
    // A bill of materials without an analysis answers nothing.
    newer["vulnerabilities"][0]
        .as_object_mut()
        .unwrap()
        .remove("analysis");
    let mut advised = Advised::new("vex_from = [\"collaborator\"]");
    advised.attest(|case| &case.keys.collaborator, newer);
    refused(&advised);
}

#[test]
fn an_answer_of_the_principal_that_nobody_can_read_stops_a_pass() {
    let lines = "vex_from = [\"collaborator\"]";
    let refused = |change: fn(&mut Value), reason: &str| {
        let mut advised = Advised::new(lines);
        advised.attest(|case| &case.keys.collaborator, vex(PURL));
        assert!(advised.said().ends_with(PASS), "{}", advised.said());
        let mut newer = vex(PURL);
        newer["timestamp"] = "1969-12-03T00:00:00Z".into();
        newer["statements"][0]["status"] = "affected".into();
        change(&mut newer);
        advised.attest(|case| &case.keys.collaborator, newer);
        let said = advised.said();
        let expected = "expected an answer that can be read and is not dated in the future, since it may take others back, found ";
        assert!(said.contains(expected) && said.contains(reason), "{said}");
        assert!(!said.contains("pass advisories"), "{said}");
    };
    refused(
        |value| value["statements"][0]["status"] = "Affected".into(),
        "unknown variant",
    );
    refused(
        |value| value["@context"] = "https://vex.example".into(),
        "expected `@context`",
    );
    refused(
        |value| value["timestamp"] = "1970-02-01T00:00:00Z".into(),
        "in the future",
    );
    // One by a principal who may not answer, or about another image, says nothing.
    let mut advised = Advised::new(lines);
    advised.attest(|case| &case.keys.collaborator, vex(PURL));
    advised.attest(|case| &case.keys.builder, json!({}));
    let other = content::Digest::of(b"other");
    let payload = case::statement(case::REPOSITORY, &other, advised::OPENVEX, json!({}));
    let piece = case::bundle(&advised.case.keys.collaborator, advised::OPENVEX, payload);
    advised.case.published.pieces.push(piece);
    assert!(advised.said().ends_with(PASS), "{}", advised.said());
}

#[test]
fn a_database_that_cannot_be_read_is_an_error() {
    let error = |change: fn(&Advised)| {
        let advised = Advised::new("");
        change(&advised);
        let error = advised.verdict().unwrap_err();
        assert!(error.hint().is_some(), "{error}");
        error.to_string()
    };
    let none =
        error(|advised| std::fs::remove_dir_all(advised.folder.path().join("osv/crates")).unwrap());
    assert!(
        none.ends_with("osv: the directory has no advisories"),
        "{none}"
    );
    let absent =
        error(|advised| std::fs::remove_dir_all(advised.folder.path().join("osv")).unwrap());
    assert!(absent.starts_with("reading "), "{absent}");
    let other = error(|advised| advised.write("osv/x.json", &json!({"id": "x"})));
    assert!(other.contains("osv/x.json: parsing advisory: "), "{other}");
}

#[test]
fn an_old_database_is_refused() {
    let said = Advised::new("fail = [\"critical\"]\nmax_age = \"30d\"").said();
    let old = "FAIL advisories: advisories: expected one of crates.io modified in the last 30d, found the newest of \
               1969-12-01T00:00:00+00:00";
    assert!(said.starts_with(old), "{said}");
    let said = Advised::new("fail = [\"critical\"]\nmax_age = \"31d\"").said();
    assert!(said.ends_with(PASS), "{said}");
}

/// What is said of a crate without concerns, with other advisories in the database.
fn beside(lines: &str, others: &[(&str, &str)]) -> String {
    let advised = Advised::new(lines);
    for (ecosystem, modified) in others {
        let mut value = advisory();
        (value["id"], value["modified"]) = ((*modified).into(), (*modified).into());
        value["affected"] =
            json!([{"package": {"ecosystem": ecosystem, "name": "x"}, "versions": ["1"]}]);
        advised.write(&format!("osv/{ecosystem}/{modified}.json"), &value);
    }
    advised.said()
}

#[test]
fn each_ecosystem_of_the_packages_must_be_fresh() {
    let lines = "fail = [\"critical\"]\nmax_age = \"30d\"";
    let old = "FAIL advisories: advisories: expected one of crates.io modified in the last 30d";
    // Neither one of another ecosystem nor one that is dated in the future makes it so.
    for others in [
        &[("PyPI", "1969-12-31T00:00:00Z")][..],
        &[("crates.io", "1970-01-31T00:00:00Z")],
    ] {
        let said = beside(lines, others);
        assert!(said.starts_with(old), "{said}");
    }
    let said = beside(lines, &[("crates.io", "1969-12-31T00:00:00Z")]);
    assert!(
        said.contains("2 of crates.io, the newest of 1969-12-31"),
        "{said}"
    );
}

#[test]
fn a_database_without_an_ecosystem_of_the_packages_is_refused() {
    let advised = Advised::new("");
    let mut value = advisory();
    value["affected"][0]["package"]["ecosystem"] = "PyPI".into();
    advised.write("osv/crates/RUSTSEC-1969-0001.json", &value);
    let none =
        "FAIL advisories: advisories: expected advisories of crates.io in the database, found none";
    assert_eq!(advised.said(), none);
    let folder = advised.folder.path();
    advised.write("sbom.json", &case::to_value(&case::honest_sbom()));
    let words = ["sbom", "sbom.json", "--advisories", "osv"];
    let (status, _, error) = command::check(folder, &words);
    assert_eq!(status, 1, "{error}");
    assert!(
        error.contains("the database has no advisories of crates.io"),
        "{error}"
    );
}

#[test]
fn signatures_alone_leave_advisories_open() {
    let advised = Advised::new("");
    let policy = advised.policy().unwrap();
    let attested = verifier::examine::examine(
        advised.case.published.clone(),
        policy.principals(),
        case::NOW,
    );
    let signers = verifier::signers::Signers::of(attested, &policy, case::NOW);
    assert!(signers.are_complete());
    assert!(signers.unknown().any(|rule| rule.name() == "advisories"));
}

#[test]
fn a_file_is_compared_offline() {
    let advised = Advised::new("");
    let folder = advised.folder.path();
    let sbom = case::to_value(&case::honest_sbom());
    advised.write("sbom.json", &sbom);
    let check = |words: &[&str]| {
        let words = [&["sbom", "sbom.json", "--advisories", "osv"], words].concat();
        command::check(folder, &words)
    };
    let (status, out, error) = check(&[]);
    assert_eq!((status, out.as_str()), (1, ""), "{error}");
    let reason = "refused: RUSTSEC-1969-0001 (high) about pkg:cargo/p256@0.14.0, fixed in 0.14.1";
    assert!(error.contains(reason), "{error}");
    let (status, out, _) = check(&["--json"]);
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (status, found["advisories"].as_array().unwrap().len()),
        (1, 1)
    );

    advised.write("vex.json", &vex("pkg:cargo/p256"));
    let (status, out, error) = check(&["--vex", "vex.json"]);
    assert_eq!(status, 0, "{error}");
    assert!(out.starts_with("accepted: cyclonedx-json"), "{out}");
    let mut linked = sbom.clone();
    linked["serialNumber"] = "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79".into();
    advised.write("linked.json", &linked);
    let link = "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg:cargo%2Fp256@0.14.0";
    advised.write("vex.json", &cyclonedx(link));
    let words = [
        "sbom",
        "linked.json",
        "--advisories",
        "osv",
        "--vex",
        "vex.json",
    ];
    let (status, _, error) = command::check(folder, &words);
    assert_eq!(status, 0, "{error}");
    // It is about a component of another document.
    let (status, _, error) = check(&["--vex", "vex.json"]);
    assert_eq!(status, 1, "{error}");
    advised.write("vex.json", &json!({}));
    let (status, _, error) = check(&["--vex", "vex.json"]);
    assert_eq!(status, 1, "{error}");
    assert!(error.contains("vex.json: parsing OpenVEX"), "{error}");
    let (status, _, error) =
        command::check(folder, &["sbom", "sbom.json", "--advisories", "absent"]);
    assert_eq!(status, 2, "{error}");
}
