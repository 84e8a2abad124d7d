//! Other projects' vectors, in the folder that the environment variable `VECTORS` names. Without it each
//! test reports that it is skipped.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test, its helpers included"
)]

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use content::Digest;
use serde_json::Value;
use signature::PublicKey;
use signature::envelope::Envelope;
use signature::simple_signing::Payload;

fn lines(path: PathBuf) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn text<'a>(case: &'a Value, member: &str) -> &'a str {
    case[member]
        .as_str()
        .unwrap_or_else(|| panic!("{member} in {case}"))
}

#[test]
fn wycheproof() {
    let Some(folder) = testkit::vectors("wycheproof") else {
        return;
    };
    let file = fs::read(folder.join("ecdsa_secp256r1_sha256_test.json")).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    let mut count = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let key = PublicKey::from_pem(text(group, "publicKeyPem")).unwrap();
        assert_eq!(hex::encode(key.der()), text(group, "publicKeyDer"));
        for case in group["tests"].as_array().unwrap() {
            let [message, signature] =
                ["msg", "sig"].map(|member| hex::decode(text(case, member)).unwrap());
            let accepted = key.verify(&message, &signature).is_ok();
            assert_eq!(accepted, text(case, "result") == "valid", "{case}");
            count += 1;
        }
    }
    assert_eq!(count, file["numberOfTests"]);
    println!("{count} cases");
}

/// Keys of other algorithms and signatures in encodings other than DER are refused. Rows that need them
/// must not verify here.
#[test]
fn dsse() {
    let Some(folder) = testkit::vectors("dsse") else {
        return;
    };
    let cases = lines(folder.join("cases.jsonl"));
    for case in &cases {
        let pem = fs::read_to_string(folder.join(text(case, "key"))).unwrap();
        let envelope = fs::read(folder.join(text(case, "envelope"))).unwrap();
        let verified = PublicKey::from_pem(&pem).is_ok_and(|key| {
            Envelope::parse(&envelope).is_ok_and(|envelope| envelope.verify(&key).is_ok())
        });
        let algorithm = case["alg"].as_str();
        let ours = text(case, "expect") == "accept" && algorithm == Some("ecdsa-der-sha256");
        assert_eq!(verified, ours, "{}", case["id"]);
    }
    println!("{} cases", cases.len());
}

/// The key comes from the payload, as in Confidential Space, which reports its `key_id`.
#[test]
fn confidential_space() {
    let Some(folder) = testkit::vectors("confidential-space/signed-container") else {
        return;
    };
    let cases = lines(folder.join("cases.jsonl"));
    let cases = cases
        .iter()
        .filter(|case| text(case, "id").contains("ECDSA_P256"));
    let mut accepted = 0;
    for case in cases {
        let payload = STANDARD.decode(text(case, "payload_b64")).unwrap();
        let signature = STANDARD.decode(text(case, "signature_b64")).unwrap();
        let key = claimed_key(&payload);
        let digest: Digest = text(case, "image_digest").parse().unwrap();
        let verified = key.as_ref().is_some_and(|key| {
            Payload::verify(&payload, &signature, key)
                .is_ok_and(|payload| payload.image_digest() == digest)
        });
        assert_eq!(verified, text(case, "expect") == "accept", "{case}");
        if verified {
            assert_eq!(key.unwrap().key_id().hex(), text(case, "key_id"));
            accepted += 1;
        }
    }
    assert!(accepted > 0);
}

fn claimed_key(payload: &[u8]) -> Option<PublicKey> {
    let payload: Value = serde_json::from_slice(payload).ok()?;
    let optional = &payload["optional"];
    if optional["dev.cosignproject.cosign/sigalg"] != "ECDSA_P256_SHA256" {
        return None;
    }
    let text = optional["dev.cosignproject.cosign/pub"].as_str()?;
    let pem = String::from_utf8(STANDARD_NO_PAD.decode(text).ok()?).ok()?;
    PublicKey::from_bare_pem(&pem).ok()
}
