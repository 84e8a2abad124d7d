//! `verifier check condition`: what Google refuses, and what a condition says of claims.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod command;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use verifier::check::{Condition, Facts, Judgement, condition};

const MAPPING: &str = "--mapping=google.subject=assertion.sub";

fn folder(expression: &str, claims: &Value) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("condition"), expression).unwrap();
    fs::write(folder.path().join("claims"), claims.to_string()).unwrap();
    folder
}

/// Runs `verifier check condition condition WORDS` in a folder; gives the exit status, standard output and standard error.
fn run(folder: &TempDir, words: &[&str]) -> (i32, String, String) {
    command::check(
        folder.path(),
        &[&["condition", "condition"], words].concat(),
    )
}

fn claims() -> Value {
    json!({"sub": "s", "swname": "CONFIDENTIAL_SPACE", "hwmodel": "GCP_INTEL_TDX", "groups": ["g"]})
}

#[test]
fn a_condition_compiles_or_is_refused() {
    let refused = |expression: &str| {
        let (status, out, err) = run(&folder(expression, &claims()), &[]);
        match status {
            0 => assert_eq!((out.as_str(), err.as_str()), ("accepted\n", "")),
            _ => assert_eq!((status, out.as_str()), (1, "")),
        }
        err.trim_end().to_owned()
    };
    assert_eq!(refused("assertion.swname == 'CONFIDENTIAL_SPACE'\n"), "");
    assert_eq!(refused("attribute.a == 'b' && 'g' in google.groups"), "");
    for (expression, reason) in [
        (
            "assertion.a == 'b' || 5",
            "compiling expression: expected type 'bool' but found 'int'",
        ),
        (
            "claims.a == 'b'",
            "compiling expression: undeclared reference to 'claims'",
        ),
        (
            "google.subject",
            "compiling expression: the condition is not boolean, its type is 'string'",
        ),
        (
            "\n",
            "checking condition: it is empty, and admits every token",
        ),
        ("true", "checking condition: Google refuses a literal true"),
    ] {
        assert_eq!(refused(expression), format!("refused: {reason}"));
    }
}

#[test]
fn a_condition_is_true_or_false_for_claims() {
    let judged = |expression: &str, words: &[&str]| {
        let (status, _, err) = run(&folder(expression, &claims()), words);
        (status, err.trim_end().to_owned())
    };
    let with_claims = |expression: &str| judged(expression, &["--claims=claims"]);
    let yes = (0, String::new());
    let no = |reason: &str| (1, format!("refused: {reason}"));
    assert_eq!(with_claims("assertion.swname == 'CONFIDENTIAL_SPACE'"), yes);
    let is_false = no("the condition is false for these claims");
    assert_eq!(with_claims("assertion.swname == 'GCE'"), is_false);
    let absent = no("evaluating expression: No such key: dbgstat");
    assert_eq!(with_claims("assertion.dbgstat == 'enabled'"), absent);
    let mapped = [
        "--claims=claims",
        MAPPING,
        "--mapping=attribute.a=assertion.hwmodel",
    ];
    let named = "google.subject == 's' && attribute.a == 'GCP_INTEL_TDX'";
    assert_eq!(judged(named, &mapped), yes);
    let (status, unknown) = with_claims(named);
    assert_eq!(status, 2);
    assert!(
        unknown.contains("it names attributes, and no claim is mapped"),
        "{unknown}"
    );
    assert_eq!(judged(named, &["--claims=nothing", MAPPING]).0, 2);
    assert_eq!(judged(named, &["--claims=condition", MAPPING]).0, 2);
    assert_eq!(judged(named, &["--mapping=a"]).0, 2);
}

/// Maps this many attributes to texts of this length.
fn fill(provider: &mut Value, count: usize, length: usize) {
    for number in 0..count {
        let name = format!("attribute.a{number}");
        provider["attributeMapping"][name] = format!("'{:length$}'", "").into();
    }
}

#[test]
fn a_provider_is_checked_with_its_mapping() {
    let judged = |change: fn(&mut Value)| {
        let mut provider = json!({
            "name": "projects/1/locations/global/workloadIdentityPools/p/providers/q",
            "attributeMapping": {
                "google.subject": "assertion.sub",
                "google.groups": "assertion.groups",
                "attribute.a": "assertion.hwmodel.split('_')[0]",
            },
            "attributeCondition": "attribute.a == 'GCP' && 'g' in google.groups",
        });
        change(&mut provider);
        let folder = folder(&provider.to_string(), &claims());
        let (status, out, err) = run(&folder, &["--claims=claims", "--json"]);
        assert_eq!(err, "");
        (status, serde_json::from_str::<Value>(&out).unwrap())
    };
    let attributes = json!({"google.subject": "s", "google.groups": ["g"], "attribute.a": "GCP"});
    let accepted = json!({"accepted": true, "attributes": attributes});
    assert_eq!(judged(|_| ()), (0, accepted));
    let refused = |change| {
        let (status, report) = judged(change);
        assert_eq!((status, &report["accepted"]), (1, &false.into()));
        report["reason"].as_str().unwrap().to_owned()
    };
    let of = "google.subject";
    assert_eq!(
        refused(|p| p["attributeMapping"] = Value::Null),
        format!("checking mapping: {of} is not mapped")
    );
    assert_eq!(
        refused(|p| p["attributeMapping"]["foo"] = "'a'".into()),
        "checking mapping: no attribute \"foo\""
    );
    assert_eq!(
        refused(|p| p["attributeMapping"]["google.subject"] = "assertion".into()),
        format!(
            "mapping {of}: compiling expression: the expected type is 'string', the type is \
             'map(string, dyn)'"
        )
    );
    assert_eq!(
        refused(|p| p["attributeMapping"]["google.subject"] = "assertion.none".into()),
        format!("mapping {of}: evaluating expression: No such key: none")
    );
    let long = format!("mapping {of}: expected 1 to 127 bytes, found 128");
    assert_eq!(
        refused(|p| p["attributeMapping"]["google.subject"] = format!("'{:128}'", "").into()),
        long
    );
    assert_eq!(
        refused(|p| p["attributeMapping"]["attribute.a"] = format!("'{:2047}'", "").into()),
        "mapping attribute.a: expected at most 2048 characters, found 2049"
    );
    assert_eq!(
        refused(|p| fill(p, 50, 1)),
        "checking mapping: expected at most 50 custom attributes, found 51"
    );
    assert_eq!(
        refused(|p| fill(p, 5, 2000)),
        "checking attributes: expected at most 8192 bytes, found 10005"
    );
    assert_eq!(
        refused(|p| p["attributeCondition"] = Value::Null),
        "checking condition: it is empty, and admits every token"
    );
}

#[test]
fn conditions_over_claims_of_real_tokens() {
    let Some(vectors) = testkit::vectors("confidential-space") else {
        return;
    };
    let rows = fs::read_to_string(vectors.join("cel_wif_cases.jsonl")).unwrap();
    let rows = rows
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let folder = TempDir::new().unwrap();
    let judged = |row: &Value| judged(&folder.path().join("condition"), &vectors, row);
    let wrong: Vec<_> = rows
        .filter_map(|row| {
            let found = judged(&row);
            let is_wrong = found.is_accepted() != (row["expect"] == true);
            is_wrong.then(|| format!("{}: {}", row["id"], found.line()))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn judged(file: &Path, vectors: &Path, row: &Value) -> Judgement {
    fs::write(file, row["expr"].as_str().unwrap()).unwrap();
    let claims: PathBuf = vectors.join(row["claims"].as_str().unwrap());
    let request = Condition {
        file,
        claims: Some(&claims),
        mapping: &[],
    };
    condition(&request, Some(&mut Facts::new())).unwrap()
}
