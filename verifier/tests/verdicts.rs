//! The folder of verdicts that an audit reads.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod case;

use std::fs;
use std::path::Path;

use attest::Vsa;
use content::Digest;
use grant::Verdicts;
use serde_json::json;
use signature::PrivateKey;
use verdicts::{KEY, VERDICT};

/// Writes what `verifier countersign` writes, as far as it is read.
fn countersign(folder: &Path, image: &Digest) {
    let key = PrivateKey::generate().unwrap();
    let vsa = json!({
        "verifier": {"id": "https://one.example"},
        "timeVerified": "2026-11-29T06:00:00Z",
        "resourceUri": case::REPOSITORY,
        "policy": {"digest": {}},
        "verificationResult": "PASSED",
        "verifiedLevels": [],
        "slsaVersion": "1.0",
    });
    let kind = Vsa::PREDICATE.uri;
    let payload = case::statement(case::REPOSITORY, image, kind, vsa);
    let bundle = case::bundle(&key, kind, payload);
    // It is no report, and is not read as one.
    fs::create_dir(folder).unwrap();
    fs::write(folder.join(VERDICT), bundle.bytes).unwrap();
    fs::write(folder.join("signature.sigstore.json"), "{}").unwrap();
    fs::write(folder.join(KEY), key.public().to_pem()).unwrap();
}

#[test]
fn a_folder_of_countersignatures_and_a_countersignature_itself_are_read() {
    let scratch = tempfile::tempdir().unwrap();
    let image = Digest::of(b"image");
    let one = scratch.path().join("one");
    countersign(&one, &image);
    let expected = Verdicts {
        approved: [image].into(),
        refused: [].into(),
    };
    assert_eq!(verdicts::read(scratch.path()).unwrap(), expected);
    assert_eq!(verdicts::read(&one).unwrap(), expected);
}
