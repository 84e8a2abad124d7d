//! Provenance by other builders, in the folder that the environment variable `VECTORS` names. Without it
//! the test reports that it is skipped.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test, its helpers included"
)]

use std::fs;
use std::path::{Path, PathBuf};

use attest::{Provenance, Statement};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path],
        })
        .collect()
}

#[test]
fn slsa_verifier() {
    let Some(folder) = testkit::vectors("slsa-verifier-attestations/bundles") else {
        return;
    };
    let bundles = files(&folder);
    assert!(!bundles.is_empty());
    for path in &bundles {
        let bundle: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
        let payload = STANDARD.decode(payload).unwrap();
        let statement = Statement::<Provenance>::parse(&payload).unwrap();
        assert_eq!(statement.predicate_type, Provenance::PREDICATE.uri);
        assert_eq!(statement.subject[0].digest["sha256"].len(), 64);
        let builder = &statement.predicate.run_details.builder.id;
        assert!(
            builder.starts_with("https://github.com/slsa-framework/"),
            "{builder}"
        );
    }
    println!("{} statements", bundles.len());
}
