use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde_json::json;
use signature::PrivateKey;
use signature::envelope::{Envelope, IN_TOTO, pae};
use tempfile::TempDir;

use super::*;

fn image() -> Digest {
    Digest::of(b"image")
}

fn approved() -> Verdicts {
    Verdicts {
        approved: [image()].into(),
        refused: [].into(),
    }
}

/// A statement about `subjects`, with this type of predicate and result.
fn statement(subjects: &[Digest], kind: &str, result: &str) -> Vec<u8> {
    let subjects = subjects.iter();
    let subjects = subjects.map(|digest| json!({"name": "a", "digest": {"sha256": digest.hex()}}));
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects.collect::<Vec<_>>(),
        "predicateType": kind,
        "predicate": {
            "verifier": {"id": "https://one.example"},
            "timeVerified": "2026-11-29T06:00:00Z",
            "resourceUri": "a",
            "policy": {"digest": {}},
            "verificationResult": result,
            "verifiedLevels": [],
            "slsaVersion": "1.0",
        },
    });
    statement.to_string().into_bytes()
}

/// Makes a folder with a countersignature.
fn countersign(folder: &Path, payload: Vec<u8>) {
    let key = PrivateKey::generate().unwrap();
    let signature = key.sign(&pae(IN_TOTO, &payload)).unwrap();
    let bundle = Bundle::new(Envelope::new(IN_TOTO, payload, "", signature));
    fs::create_dir(folder).unwrap();
    let bundle = bundle.to_bytes(key.public()).unwrap();
    fs::write(folder.join(VERDICT), bundle).unwrap();
    fs::write(folder.join(KEY), key.public().to_pem()).unwrap();
}

fn pass() -> Vec<u8> {
    statement(&[image()], Vsa::PREDICATE.uri, "PASSED")
}

fn report(word: &str) -> String {
    json!({"image_digest": image(), "verdict": word}).to_string()
}

/// A folder with one file.
fn with_file(name: &str, text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), text).unwrap();
    folder
}

#[track_caller]
fn fault(folder: &Path) -> String {
    let error = read(folder).unwrap_err();
    assert!(error.hint().is_some(), "{error}");
    error.to_string()
}

#[test]
fn reports_and_countersignatures_are_read_and_other_files_are_not() {
    let folder = with_file("one.json", &report("pass"));
    assert_eq!(read(folder.path()).unwrap(), approved());
    fs::write(folder.path().join("notes.txt"), "{").unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    assert_eq!(read(folder.path()).unwrap(), approved());
    fs::write(folder.path().join("two.json"), report("fail")).unwrap();
    let both = Verdicts {
        refused: [image()].into(),
        ..approved()
    };
    assert_eq!(read(folder.path()).unwrap(), both);

    let folder = tempfile::tempdir().unwrap();
    countersign(&folder.path().join("one"), pass());
    assert_eq!(read(folder.path()).unwrap(), approved());
    assert_eq!(read(&folder.path().join("one")).unwrap(), approved());
}

#[test]
fn what_is_no_report_is_an_error() {
    let good = report("pass");
    for (text, expected) in [
        ("", "EOF"),
        (&good[..good.len() - 1], "EOF"),
        (&good[..20], "EOF"),
        ("[]", "invalid type"),
        (&report("signed"), "unknown variant `signed`"),
        (&report("PASS"), "unknown variant `PASS`"),
        (r#"{"verdict": "pass"}"#, "missing field `image_digest`"),
        (r#"{"image_digest": "latest", "verdict": "pass"}"#, "latest"),
        (
            &good.replace("\"verdict\"", "\"verdict\":\"fail\",\"verdict\""),
            "verdict",
        ),
    ] {
        let folder = with_file("one.json", text);
        let error = fault(folder.path());
        let start = "reading the verdict ";
        assert!(
            error.starts_with(start) && error.contains(expected),
            "{text}: {error}"
        );
    }
}

#[test]
fn what_cannot_be_read_is_an_error_and_not_the_absence_of_a_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    assert!(fault(&path("none")).contains("none"));
    fs::create_dir(path("one.json")).unwrap();
    assert!(fault(folder.path()).contains("one.json"));
    fs::remove_dir(path("one.json")).unwrap();
    symlink("nowhere", path("two.json")).unwrap();
    assert!(fault(folder.path()).contains("two.json"));
    fs::remove_file(path("two.json")).unwrap();
    fs::create_dir_all(path("three").join(VERDICT)).unwrap();
    assert!(fault(folder.path()).contains(VERDICT));
    assert!(fault(&path("three")).contains(VERDICT));
    fs::remove_dir_all(path("three")).unwrap();
    symlink("four", path("four")).unwrap();
    assert!(fault(folder.path()).contains("four"));
    fs::remove_file(path("four")).unwrap();
    fs::write(path("file"), "{}").unwrap();
    assert!(fault(&path("file")).contains("file"));
    assert_eq!(read(folder.path()).unwrap(), Verdicts::default());

    // The administrator may read everything.
    countersign(&path("five"), pass());
    fs::set_permissions(path("five"), fs::Permissions::from_mode(0o000)).unwrap();
    let is_readable = fs::read_dir(path("five")).is_ok();
    let found = read(folder.path());
    fs::set_permissions(path("five"), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(found.is_ok(), is_readable, "{found:?}");
}

#[test]
fn a_countersignature_is_a_pass_for_one_image_that_its_key_has_signed() {
    let other = Digest::of(b"other");
    let vsa = Vsa::PREDICATE.uri;
    for (payload, expected) in [
        (
            statement(&[image()], vsa, "FAILED"),
            "no verdict that is a pass",
        ),
        (
            statement(
                &[image()],
                "https://slsa.dev/verification_summary/v0.2",
                "PASSED",
            ),
            "no verdict that is a pass",
        ),
        (
            statement(&[image(), other], vsa, "PASSED"),
            "expected one image",
        ),
        (statement(&[], vsa, "PASSED"), "reading the verdict"),
        (b"{".to_vec(), "reading the verdict"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        countersign(&folder.path().join("one"), payload);
        let error = fault(folder.path());
        assert!(error.contains(expected), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let one = folder.path().join("one");
    countersign(&one, pass());
    let key = PrivateKey::generate().unwrap();
    fs::write(one.join(KEY), key.public().to_pem()).unwrap();
    assert!(fault(folder.path()).starts_with("reading the verdict "));
    let bundle = fs::read(one.join(VERDICT)).unwrap();
    fs::write(one.join(VERDICT), &bundle[..bundle.len() - 1]).unwrap();
    assert!(fault(folder.path()).starts_with("reading the verdict "));
    fs::remove_file(one.join(KEY)).unwrap();
    assert!(fault(folder.path()).contains(KEY));
}
