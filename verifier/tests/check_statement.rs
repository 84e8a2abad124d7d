//! `verifier check statement`.
#![allow(clippy::unwrap_used, reason = "a test, its helpers included")]

mod command;

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

/// Runs `verifier check statement --json` on a statement; gives the exit status, standard output and standard error.
fn run(statement: &[u8]) -> (i32, String, String) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("statement"), statement).unwrap();
    command::check(folder.path(), &["statement", "--json", "statement"])
}

/// The exit status and the report.
fn check(statement: &[u8]) -> (i32, Value) {
    let (status, out, _) = run(statement);
    (status, serde_json::from_str(&out).unwrap())
}

/// A statement from the seeds of the fuzz target.
fn seed(name: &str) -> String {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/statement");
    fs::read_to_string(seeds.join(name)).unwrap()
}

#[test]
fn statements_with_known_predicates_are_accepted() {
    for name in ["provenance", "verdict"] {
        let (status, report) = check(seed(name).as_bytes());
        assert_eq!(status, 0, "{name}: {report}");
        assert!(report["subjects"][0]["digest"].is_object(), "{report}");
    }
}

/// SPDX is an object (`spdxjson` of cosign) or a text (`spdx`).
#[test]
fn bills_of_materials_are_checked() {
    let tags = "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\nDocumentName: a\n\
                DocumentNamespace: https://example.com/a\nCreator: Tool: a\nCreated: 2026-01-01T00:00:00Z\n";
    let bom = |version: &str| serde_json::json!({"bomFormat": "CycloneDX", "specVersion": version});
    for (kind, predicate, expected) in [
        ("https://spdx.dev/Document", Value::from(tags), 0),
        (
            "https://spdx.dev/Document",
            Value::from(tags.replace("2.3", "9")),
            1,
        ),
        ("https://spdx.dev/Document", serde_json::json!({}), 1),
        ("https://cyclonedx.org/bom", bom("1.7"), 0),
        ("https://cyclonedx.org/bom", bom("9"), 1),
    ] {
        let mut statement: Value = serde_json::from_str(&seed("provenance")).unwrap();
        statement["predicateType"] = kind.into();
        statement["predicate"] = predicate;
        let (status, report) = check(statement.to_string().as_bytes());
        assert_eq!(status, expected, "{statement}: {report}");
    }
}

#[test]
fn a_predicate_of_another_type_is_not_judged() {
    let known = seed("provenance");
    let other = known.replace("https://slsa.dev/provenance/v1", "https://example.com/v1");
    assert_ne!(known, other);
    let (status, out, error) = run(other.as_bytes());
    assert_eq!((status, out.as_str()), (2, ""));
    let expected = "checking predicate: type https://example.com/v1 is not supported";
    assert!(error.contains(expected), "{error}");
    let signature = known.replace(
        "https://slsa.dev/provenance/v1",
        attest::predicate::COSIGN_SIGN,
    );
    assert_eq!(check(signature.as_bytes()).0, 0);
}

#[test]
fn other_statements_are_refused() {
    let mut without: Value = serde_json::from_str(&seed("provenance")).unwrap();
    without["predicate"] = serde_json::json!({});
    for (statement, reason) in [
        (without.to_string(), "parsing provenance"),
        (seed("refused_version"), "statement"),
        ("{}".to_owned(), "parsing statement"),
    ] {
        let (status, report) = check(statement.as_bytes());
        assert_eq!(status, 1, "{report}");
        let found = report["reason"].as_str().unwrap();
        assert!(found.contains(reason), "{found}");
    }
}
