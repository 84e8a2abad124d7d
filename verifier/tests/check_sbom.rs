//! `verifier check sbom`.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod command;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

/// Runs `verifier check sbom WORDS` in a folder; gives the exit status, standard output and standard error.
fn check(folder: &Path, words: &[&str]) -> (i32, String, String) {
    command::check(folder, &[&["sbom"], words].concat())
}

#[test]
fn a_bill_of_materials_is_accepted_or_refused() {
    let folder = TempDir::new().unwrap();
    let documents = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/sbom/tests/documents");
    for (name, format, version, components) in [
        ("cyclonedx.json", "cyclonedx-json", "1.6", 4),
        ("cyclonedx.xml", "cyclonedx-xml", "1.6", 4),
        ("spdx.json", "spdx-json", "2.3", 3),
        ("spdx.tag", "spdx-tag-value", "2.3", 3),
    ] {
        let (status, out, error) = check(&documents, &[name]);
        let line =
            format!("accepted: {format} {version}, {components} components, 1 of them files\n");
        assert_eq!((status, out), (0, line), "{name}: {error}");
        let (status, out, _) = check(&documents, &["--json", name]);
        let expected = json!({
            "accepted": true, "format": format, "version": version, "components": components, "files": 1,
        });
        let found: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((status, found), (0, expected), "{name}");

        let text = fs::read_to_string(documents.join(name)).unwrap();
        let path = folder.path().join(name);
        fs::write(path, text.replace("2026-01-02T03:04:05Z", "2026-01-02")).unwrap();
        let (status, out, error) = check(folder.path(), &[name]);
        assert_eq!((status, out.as_str()), (1, ""), "{name}: {error}");
        let refused = error.contains("refused: checking ") && error.contains("found");
        assert!(refused, "{name}: {error}");
        let (status, out, _) = check(folder.path(), &["--json", name]);
        let found: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((status, &found["accepted"]), (1, &json!(false)), "{name}");
    }
    let (status, _, error) = check(folder.path(), &["absent"]);
    assert_eq!(status, 2, "{error}");
    assert!(error.contains("reading absent: No such file"), "{error}");
}
