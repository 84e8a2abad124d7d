//! Who may depend on whom: programs -> remote -> oci -> content, and nothing upwards.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What each room may use of our own; a room that is missing here fails the test.
const ARROWS: &[(&str, &[&str])] = &[
    ("content", &[]),
    ("scratch", &[]),
    ("oci", &["content"]),
    ("signature", &["content"]),
    ("attest", &["content"]),
    ("confidential", &["content"]),
    ("remote", &["content", "oci"]),
    (
        "signer",
        &["attest", "content", "oci", "remote", "signature"],
    ),
    (
        "builder",
        &[
            "attest",
            "content",
            "oci",
            "remote",
            "scratch",
            "signature",
            "signer",
        ],
    ),
    (
        "verifier",
        &[
            "attest",
            "confidential",
            "content",
            "oci",
            "remote",
            "scratch",
            "signature",
            "signer",
        ],
    ),
    (
        "emulator",
        &[
            "confidential",
            "content",
            "oci",
            "remote",
            "scratch",
            "signature",
        ],
    ),
    ("ceremony", &["confidential", "content", "scratch"]),
    ("workload", &["confidential", "content"]),
];

fn arrows(manifest: &str) -> BTreeMap<String, BTreeSet<String>> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(manifest);
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version=1",
            "--no-deps",
            "--offline",
            "--manifest-path",
        ])
        .arg(manifest)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| (name(package), ours(package)))
        .collect()
}

fn name(item: &Value) -> String {
    item["name"].as_str().unwrap().to_owned()
}

/// Normal and build dependencies by path; tests may use more.
fn ours(package: &Value) -> BTreeSet<String> {
    let dependencies = package["dependencies"].as_array().unwrap();
    let ours = dependencies
        .iter()
        .filter(|d| d["path"].is_string() && d["kind"] != "dev");
    ours.map(name).collect()
}

#[test]
fn arrows_point_down_only() {
    let mut found = arrows("Cargo.toml");
    found.extend(arrows("workload/Cargo.toml"));
    let allowed: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    for (package, used) in &found {
        let allowed = allowed
            .get(package.as_str())
            .unwrap_or_else(|| panic!("{package}: unknown room"));
        for name in used {
            assert!(
                allowed.contains(&name.as_str()),
                "{package} may not use {name}"
            );
        }
    }
    assert_eq!(
        found.len(),
        allowed.len(),
        "a room is gone: {:?}",
        found.keys()
    );
}

#[test]
fn what_enters_the_image_inherits_nothing() {
    for manifest in ["workload", "crates/content", "crates/confidential"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(manifest)
            .join("Cargo.toml");
        let text = std::fs::read_to_string(path).unwrap();
        assert!(
            !text.contains("workspace = true"),
            "{manifest} has the root manifest as an input"
        );
    }
}
