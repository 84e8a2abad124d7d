//! `verifier check layer`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test, its helpers included"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// Runs `verifier check WORDS` in a folder; gives the exit status, standard output and standard error.
fn check(folder: &Path, words: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_verifier"));
    command.arg("check").args(words).current_dir(folder);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// An archive with one file.
fn archive(name: &str) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_size(3);
    header.set_mode(0o644);
    header.set_cksum();
    let mut archive = tar::Builder::new(Vec::new());
    archive.append(&header, &b"abc"[..]).unwrap();
    archive.into_inner().unwrap()
}

#[test]
fn a_layer_is_accepted_or_refused() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    let inside = archive("a");
    write("inside", &inside);
    write("outside", &archive("../a"));
    write("truncated", &inside[..513]);
    write("zstd", b"\x28\xb5\x2f\xfd");
    let check = |words: &[&str]| check(folder.path(), words);
    assert_eq!(
        check(&["layer", "inside"]),
        (0, "accepted\n".to_owned(), String::new())
    );
    let (status, out, _) = check(&["layer", "--json", "inside"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(status, 0);
    assert_eq!(json["diff_id"], content::Digest::of(&inside).to_string());
    assert_eq!(json["entries"][0]["name"], "a");
    assert_eq!(
        json["entries"][0]["digest"],
        content::Digest::of(b"abc").to_string()
    );
    for (name, expected, reason) in [
        ("outside", 1, "entry \"../a\": path leaves the root"),
        ("truncated", 1, "unexpected end of file"),
        ("zstd", 2, "compression is not gzip"),
        ("absent", 2, "reading absent: No such file"),
    ] {
        let (status, out, error) = check(&["layer", name]);
        assert_eq!((status, out.as_str()), (expected, ""), "{name}: {error}");
        assert!(error.contains(reason), "{name}: {error}");
    }
}

/// Other projects' archives, and those that would write outside the root.
#[test]
fn layer_vectors() {
    let Some(folder) = testkit::vectors("tar-layers") else {
        return;
    };
    let rows = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let mut count = 0;
    for line in (rows("cases.jsonl") + &rows("extract_cases.jsonl")).lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let file = case["path"].as_str().or(case["archive"].as_str()).unwrap();
        let status = check(&folder, &["layer", file]).0;
        match case["cls"].as_str() {
            Some("consensus" | "majority") => assert_eq!(status, 0, "{case}"),
            Some("divergent") => assert_ne!(status, 2, "{case}"),
            Some(_) | None => assert_eq!(status, 1, "{case}"),
        }
        count += 1;
    }
    println!("{count} archives");
}
