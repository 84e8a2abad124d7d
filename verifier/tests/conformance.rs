//! The bundles of sigstore-conformance, in the folder that the environment variable `VECTORS` names: one process
//! for each case, with the arguments of the suite's client.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Why cases are refused: the directory of the case, and the reason. Each that is refused must be here.
const REASONS: &[(&str, &str)] = &[
    ("bundle-malformed-json_fail", "json"),
    ("rekor2-no-timestamp_fail", "timestamp-missing"),
    ("signature-mismatch_fail", "signature"),
    ("wrong-material_fail", "artifact"),
];

/// The exit status, and the check that refused.
fn judge(folder: &Path, arguments: &[&str]) -> (Option<i32>, Option<String>) {
    let output = Command::new(env!("CARGO_BIN_EXE_verifier"))
        .args(["check", "bundle", "--json"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let reason = report["check"].as_str().map(str::to_owned);
    (output.status.code(), reason)
}

fn check(folder: &Path, case: &Value) -> Option<String> {
    let arguments = case["argv"].as_array().unwrap();
    let arguments: Vec<_> = arguments.iter().map(|a| a.as_str().unwrap()).collect();
    let name = case["dir"].as_str().unwrap();
    let on_record = REASONS.iter().find(|(case, _)| *case == name);
    let judged = judge(folder, &arguments[1..]);
    let is_right = match (case["expect"].as_str().unwrap(), &judged) {
        ("accept", (Some(0), None)) => true,
        ("reject", (Some(1), Some(reason))) => {
            on_record.is_some_and(|(_, expected)| expected == reason)
        }
        _ => false,
    };
    (!is_right).then(|| format!("{}: {judged:?}, not {on_record:?}", case["id"]))
}

#[test]
fn judges_bundles_of_sigstore_conformance() {
    let Some(folder) = testkit::vectors("sigstore-conformance-bundles") else {
        return;
    };
    let cases = std::fs::read_to_string(folder.join("cases.jsonl")).unwrap();
    assert!(cases.lines().next().is_some());
    let wrong = cases.lines().filter_map(|line| {
        let case = serde_json::from_str(line).unwrap();
        check(&folder, &case)
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
