//! `verifier check`: one file, offline.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test, its helpers included"
)]

mod command;

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use signature::envelope::{Envelope, pae};
use signature::{KeyType, PrivateKey};
use tempfile::TempDir;

/// Runs `verifier check WORDS` in a folder; gives the exit status, standard output and standard error.
fn check(folder: &Path, words: &str) -> (i32, String, String) {
    let words: Vec<&str> = words.split(' ').collect();
    command::check(folder, &words)
}

fn write(folder: &TempDir, name: &str, bytes: impl AsRef<[u8]>) {
    fs::write(folder.path().join(name), bytes).unwrap();
}

/// A folder with a message, a key of this type, its signature and an envelope.
fn folder(kind: KeyType) -> TempDir {
    let folder = TempDir::new().unwrap();
    let key = PrivateKey::generate_of(kind).unwrap();
    let signature = key.sign(b"message").unwrap();
    write(&folder, "message", b"message");
    write(&folder, "pub", key.public().to_pem());
    write(&folder, "raw", &signature);
    write(&folder, "text", STANDARD.encode(&signature) + "\n");
    let other = PrivateKey::generate().unwrap();
    write(&folder, "other", other.public().to_pem());
    let signature = key.sign(&pae("type", b"payload")).unwrap();
    let envelope = Envelope::new("type", b"payload".to_vec(), "", signature);
    write(&folder, "envelope", envelope.to_bytes().unwrap());
    folder
}

#[test]
fn a_signature_is_accepted_or_refused() {
    for kind in [
        KeyType::P256,
        KeyType::P384,
        KeyType::P521,
        KeyType::Rsa { bits: 2048 },
        KeyType::Ed25519,
    ] {
        let folder = folder(kind);
        let check = |words: &str| check(folder.path(), words);
        for signature in ["raw", "text"] {
            let words = format!("signature --key other --key pub --signature {signature} message");
            assert_eq!(
                check(&words),
                (0, "accepted\n".to_owned(), String::new()),
                "{kind}"
            );
        }
        let (status, out, refused) = check("signature --key other --signature raw message");
        assert_eq!((status, out.as_str()), (1, ""));
        assert!(
            refused.starts_with("refused: the signature over this file does not verify with key "),
            "{refused}"
        );
        assert_eq!(check("signature --key pub --signature raw pub").0, 1);
        let (status, out, _) = check("signature --key pub --signature raw --json pub");
        let json: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((status, &json["accepted"]), (1, &Value::Bool(false)));
        assert!(
            json["reason"]
                .as_str()
                .unwrap()
                .starts_with("the signature over this file does not verify with key")
        );
    }
}

#[test]
fn an_algorithm_replaces_those_of_the_key() {
    let folder = folder(KeyType::P384);
    let check = |algorithm: &str| {
        check(
            folder.path(),
            &format!("signature --key pub --signature raw --algorithm {algorithm} message"),
        )
    };
    assert_eq!(check("ecdsa-der-sha384").0, 0);
    for algorithm in ["ecdsa-der-sha256", "ecdsa-p1363-sha384"] {
        let (status, _, refused) = check(algorithm);
        assert!(
            status == 1 && refused.contains(&format!("({algorithm})")),
            "{refused}"
        );
    }
    let (status, _, error) = check("ed25519");
    assert_eq!(status, 2, "{error}");
    assert!(
        error.contains("a key of type ecdsa-p384 does not sign with ed25519"),
        "{error}"
    );
    assert!(error.contains("hint: omit --algorithm"), "{error}");
    assert_eq!(check("sha256").0, 2);
}

#[test]
fn what_cannot_be_read_is_not_judged() {
    let folder = folder(KeyType::Ed25519);
    for words in [
        "signature --key message --signature raw message",
        "signature --key absent --signature raw message",
        "signature --key pub --signature absent message",
        "signature --key pub --signature raw absent",
        "signature --signature raw message",
        "envelope --key pub absent",
        "envelope envelope",
    ] {
        let (status, out, error) = check(folder.path(), words);
        assert_eq!((status, out.as_str()), (2, ""), "{words}");
        assert!(error.contains("error: "), "{error}");
    }
}

/// No signature can be verified with a key that is damaged, not on its curve or of small order.
#[test]
fn what_a_damaged_key_would_have_signed_is_refused() {
    let folder = folder(KeyType::P256);
    let pem = fs::read_to_string(folder.path().join("pub")).unwrap();
    let text: String = pem.lines().filter(|line| !line.contains('-')).collect();
    let mut der = STANDARD.decode(text).unwrap();
    *der.last_mut().unwrap() ^= 1;
    let labelled = |der: &[u8]| {
        let text = STANDARD.encode(der);
        format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
    };
    write(&folder, "curve", labelled(&der));
    write(&folder, "short", labelled(&der[1..]));
    let small = [
        &b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\0\x01"[..],
        &[0; 31],
    ];
    write(&folder, "small", labelled(&small.concat()));
    write(&folder, "text", pem.replace('M', "+"));
    write(&folder, "two", pem.repeat(2));
    let check = |words: &str| check(folder.path(), words);
    for key in ["curve", "short", "small", "text"] {
        for what in [
            "signature --signature raw --json message",
            "envelope --json envelope",
        ] {
            let (status, out, _) = check(&format!("{what} --key {key}"));
            let report: Value = serde_json::from_str(&out).unwrap();
            let judged = (status, report["check"].as_str());
            assert_eq!(judged, (1, Some("key")), "{what} {key}");
            let reason = report["reason"].as_str().unwrap();
            let expected = format!("reading key {key}: parsing public key: ");
            assert!(reason.starts_with(&expected), "{reason}");
            // Another key may have signed.
            assert_eq!(check(&format!("{what} --key {key} --key pub")).0, 0);
            let (status, out, _) = check(&format!("{what} --key other --key {key}"));
            assert_eq!(status, 1);
            assert!(out.contains(r#""check": "key""#), "{out}");
            let algorithm = "--algorithm ecdsa-der-sha256";
            assert_eq!(check(&format!("{what} {algorithm} --key {key}")).0, 1);
            assert_eq!(check(&format!("{what} --key {key} --key two")).0, 2);
        }
    }
    let (status, _, refused) = check("signature --signature raw --key small message");
    assert_eq!(status, 1);
    assert!(
        refused.starts_with("refused: key: reading key small: "),
        "{refused}"
    );
}

/// A key that says PSS by itself, and what `--algorithm` may still ask of it.
#[test]
fn a_key_of_pss_needs_no_algorithm() {
    let folder = TempDir::new().unwrap();
    let plain = PrivateKey::generate_of(KeyType::Rsa { bits: 2048 }).unwrap();
    let pss = testkit::pss(&plain.to_pem().unwrap(), &[]);
    let pss = PrivateKey::from_pem(&pss).unwrap();
    write(&folder, "message", b"message");
    write(&folder, "pub", pss.public().to_pem());
    write(&folder, "good", pss.sign(b"message").unwrap());
    write(&folder, "pkcs1", plain.sign(b"message").unwrap());
    let check = |signature: &str, more: &str| {
        let words = format!("signature --key pub --signature {signature} message{more}");
        check(folder.path(), &words)
    };
    assert_eq!(check("good", "").0, 0);
    assert_eq!(check("good", " --algorithm rsa-pss-sha256").0, 0);
    assert_eq!(check("good", " --algorithm rsa-pss-sha512").0, 1);
    assert_eq!(check("pkcs1", "").0, 1);
    let (status, _, error) = check("pkcs1", " --algorithm rsa-pkcs1-sha256");
    assert_eq!(status, 2);
    let expected = "a key of type rsa-pss-2048 does not sign with rsa-pkcs1-sha256";
    assert!(error.contains(expected), "{error}");
}

#[test]
fn an_envelope_is_accepted_or_refused() {
    let folder = folder(KeyType::Ed25519);
    let check = |words: &str| check(folder.path(), words);
    assert_eq!(check("envelope --key other --key pub envelope").0, 0);
    assert_eq!(
        check("envelope --key pub --payload-type type envelope").0,
        0
    );
    for (words, reason) in [
        (
            "envelope --key other envelope",
            "no signature verifies with key",
        ),
        (
            "envelope --key pub --payload-type t envelope",
            "expected t, found type",
        ),
        ("envelope --key pub message", "parsing envelope"),
    ] {
        let (status, _, refused) = check(words);
        assert_eq!(status, 1, "{words}");
        assert!(refused.contains(reason), "{words}: {refused}");
    }
    assert_eq!(
        check("envelope --key pub --json envelope").1,
        "{\n  \"accepted\": true\n}\n"
    );
}

/// Other projects' envelopes; each row names the algorithm of its key.
#[test]
fn vectors() {
    let Some(folder) = testkit::vectors("dsse") else {
        return;
    };
    let cases = fs::read_to_string(folder.join("cases.jsonl")).unwrap();
    for case in cases
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
    {
        let text = |name: &str| case[name].as_str();
        let mut words = format!(
            "envelope --key {} {}",
            text("key").unwrap(),
            text("envelope").unwrap()
        );
        if let Some(algorithm) = text("alg") {
            words += &format!(" --algorithm {algorithm}");
        }
        let expected = i32::from(text("expect") != Some("accept"));
        assert_eq!(check(&folder, &words).0, expected, "{case}");
    }
    println!("{} cases", cases.lines().count());
}
