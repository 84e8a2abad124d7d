//! `verifier check bundle` as a program: exit status, report, and what it reads.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use signature::PrivateKey;
use signature::bundle::Bundle;
use signature::envelope::{Envelope, pae};

const DIGEST: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// A folder with a bundle by `key` over a statement about the file `abc`, and both keys.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let [key, other] = [(); 2].map(|()| PrivateKey::generate().unwrap());
    let payload = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "digest": { "sha256": DIGEST.strip_prefix("sha256:") } }],
        "predicateType": "https://example.com/p",
    });
    let (kind, payload) = (
        "application/vnd.in-toto+json",
        payload.to_string().into_bytes(),
    );
    let signature = key.sign(&pae(kind, &payload)).unwrap();
    let bundle = Bundle::new(Envelope::new(kind, payload, "", signature));
    write("bundle.json", &bundle.to_bytes(key.public()).unwrap());
    write("key.pub", key.public().to_pem().as_bytes());
    write("other.pub", other.public().to_pem().as_bytes());
    write(
        "damaged.pub",
        key.public().to_pem().replace('M', "+").as_bytes(),
    );
    let pkcs1 = key.public().to_pem().replace("PUBLIC", "RSA PUBLIC");
    write("pkcs1.pub", pkcs1.as_bytes());
    write("two.pub", (pkcs1 + &key.public().to_pem()).as_bytes());
    let again = key.public().to_pem().repeat(2);
    write("again.pub", again.as_bytes());
    write("abc", b"abc");
    write("abd", b"abd");
    write("root.json", b"{}");
    folder
}

fn check(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_verifier"))
        .args(["check", "bundle", "--bundle", "bundle.json"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap()
}

#[track_caller]
fn status(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let mut arguments = arguments.to_vec();
    arguments.push("--json");
    let output = check(folder, &arguments);
    let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code().unwrap(), report)
}

#[test]
fn judges_by_exit_status_and_reason() {
    let folder = folder();
    let status = |arguments: &[&str]| status(folder.path(), arguments);
    let refused = |arguments: &[&str]| {
        let (code, report) = status(arguments);
        assert_eq!((code, &report["accepted"]), (1, &json!(false)), "{report}");
        report["check"].as_str().unwrap().to_owned()
    };
    let accepted = (0, json!({ "accepted": true }));
    assert_eq!(status(&["--key", "key.pub", "abc"]), accepted);
    assert_eq!(status(&["--key", "key.pub", DIGEST]), accepted);
    let digits = DIGEST.strip_prefix("sha256:").unwrap().to_uppercase();
    let in_upper_case = format!("sha256:{digits}");
    assert_eq!(status(&["--key", "key.pub", &in_upper_case]), accepted);
    // A root that nothing needs is not read.
    for root in ["root.json", "nothing"] {
        let arguments = ["--key", "key.pub", "--trusted-root", root, "abc"];
        assert_eq!(status(&arguments), accepted);
    }
    assert_eq!(refused(&["--key", "key.pub", "abd"]), "artifact");
    assert_eq!(refused(&["--key", "other.pub", "abc"]), "signature");
    assert_eq!(refused(&["--key", "damaged.pub", "abc"]), "key");
    assert_eq!(refused(&["--key", "pkcs1.pub", "abc"]), "key");
    let someone = [
        "--certificate-identity",
        "a",
        "--certificate-oidc-issuer",
        "b",
        "abc",
    ];
    assert_eq!(refused(&someone), "signer-kind");
    let unknown = [&["--trusted-root", "root.json"][..], &someone].concat();
    assert_eq!(refused(&unknown), "root");
    std::fs::write(folder.path().join(DIGEST), b"abd").unwrap();
    assert_eq!(refused(&["--key", "key.pub", DIGEST]), "artifact");
}

#[test]
fn says_that_it_could_not_tell() {
    let folder = folder();
    let pattern = |text| {
        [
            "--certificate-identity-regexp",
            text,
            "--certificate-oidc-issuer",
            "b",
            "abc",
        ]
    };
    let [unanchored, open] = [pattern("a"), pattern("^(a$")];
    for arguments in [
        &["--key", "nothing", "abc"][..],
        &["--key", "abc", "abc"],
        &["--key", "two.pub", "abc"],
        &["--key", "again.pub", "abc"],
        &["--key", "key.pub", "nothing"],
        &["--key", "key.pub", "sha256:00"],
        &["--key", "key.pub"],
        &["abc"],
        &[
            "--key",
            "key.pub",
            "--certificate-identity",
            "a",
            "--certificate-oidc-issuer",
            "b",
            "abc",
        ],
        &["--certificate-identity", "a", "abc"],
        &["--certificate-oidc-issuer", "b", "abc"],
        &[
            "--certificate-identity",
            "a",
            "--certificate-oidc-issuer",
            "b",
            "--trusted-root",
            "nothing",
            "abc",
        ],
        &unanchored,
        &open,
    ] {
        assert_eq!(status(folder.path(), arguments).0, 2, "{arguments:?}");
    }
}

#[test]
fn says_in_words_why() {
    let folder = folder();
    let said = check(folder.path(), &["--key", "key.pub", "abc"]);
    assert_eq!(String::from_utf8(said.stdout).unwrap(), "accepted\n");
    let said = check(folder.path(), &["--key", "key.pub", "abd"]);
    assert!(said.stdout.is_empty());
    let said = String::from_utf8(said.stderr).unwrap();
    assert_eq!(
        said,
        "refused: artifact: the artifact is not a subject of the statement\n"
    );
}

#[test]
fn a_refusal_is_one_line_whatever_the_bundle_contains() {
    let folder = folder();
    let bundle = json!({ "mediaType": "x\naccepted\n", "verificationMaterial": {} });
    std::fs::write(folder.path().join("bundle.json"), bundle.to_string()).unwrap();
    let said = check(folder.path(), &["--key", "key.pub", "abc"]);
    assert_eq!(said.status.code(), Some(1));
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("accepted"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_path_that_cannot_be_looked_up_is_no_digest() {
    let folder = folder();
    std::os::unix::fs::symlink(DIGEST, folder.path().join(DIGEST)).unwrap();
    let said = check(folder.path(), &["--key", "key.pub", DIGEST]);
    assert_eq!(said.status.code(), Some(2));
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("error: reading sha256:"), "{said}");
}
