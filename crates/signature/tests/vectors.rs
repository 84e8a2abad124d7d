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

/// Each file of the folder, with the algorithm that its groups name, or the key alone if that has `id-RSASSA-PSS`. A case is
/// accepted if and only if it is valid; "acceptable" cases are refused (docs/decisions, keys of every algorithm), and so are
/// keys of `id-RSASSA-PSS` with other digest algorithms, or two.
#[test]
fn wycheproof() {
    let Some(folder) = testkit::vectors("wycheproof") else {
        return;
    };
    let (mut files, mut cases) = (0, 0);
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with("_test.json") {
            continue;
        }
        let file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        match file["testGroups"][0]["type"].as_str() {
            Some(
                "EcdsaVerify"
                | "EcdsaP1363Verify"
                | "EddsaVerify"
                | "RsassaPkcs1Verify"
                | "RsassaPssVerify"
                | "RsassaPssWithParametersVerify",
            ) => {}
            // Web tokens and algorithms of no key here.
            other => {
                println!("{name}: {other:?} is not for signatures of these keys");
                continue;
            }
        }
        cases += check_file(&name, &file);
        files += 1;
    }
    assert!(files > 0);
    println!("{cases} cases of {files} files");
}

fn check_file(name: &str, file: &Value) -> u64 {
    let mut count = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let key = PublicKey::from_pem(text(group, "publicKeyPem"));
        if !is_read(group) {
            let error = key.unwrap_err().to_string();
            assert!(
                error.contains("parameters of RSASSA-PSS"),
                "{name}: {error}"
            );
            count += group["tests"].as_array().unwrap().len() as u64;
            continue;
        }
        let mut key = key.unwrap_or_else(|error| panic!("{name}: {error}"));
        if let Some(algorithm) = algorithm(group) {
            key = key.with_algorithm(algorithm.parse().unwrap()).unwrap();
        }
        assert_eq!(hex::encode(key.der()), text(group, "publicKeyDer"));
        for case in group["tests"].as_array().unwrap() {
            let [message, signature] =
                ["msg", "sig"].map(|member| hex::decode(text(case, member)).unwrap());
            let accepted = key.verify(&message, &signature).is_ok();
            assert_eq!(accepted, text(case, "result") == "valid", "{name}: {case}");
            count += 1;
        }
    }
    assert_eq!(count, file["numberOfTests"].as_u64().unwrap());
    count
}

/// Whether the group's key is read: one with `id-RSASSA-PSS` has a single digest algorithm, which is not SHA-1 or SHA-224.
fn is_read(group: &Value) -> bool {
    let hashes = ["SHA-256", "SHA-384", "SHA-512"];
    text(group, "type") != "RsassaPssWithParametersVerify"
        || group["sha"] == group["mgfSha"] && hashes.contains(&text(group, "sha"))
}

/// The algorithm of the group; `None` if the key alone is to say it.
fn algorithm(group: &Value) -> Option<String> {
    let hash = || text(group, "sha").to_lowercase().replace('-', "");
    Some(match text(group, "type") {
        "RsassaPssWithParametersVerify" => return None,
        "EcdsaVerify" => format!("ecdsa-der-{}", hash()),
        "EcdsaP1363Verify" => format!("ecdsa-p1363-{}", hash()),
        "RsassaPkcs1Verify" => format!("rsa-pkcs1-{}", hash()),
        "RsassaPssVerify" => format!("rsa-pss-{}-salt{}", hash(), group["sLen"]),
        _ => "ed25519".to_owned(),
    })
}

/// Each row, with the algorithm that it names for the key. Rows that are to be refused name none.
#[test]
fn dsse() {
    let Some(folder) = testkit::vectors("dsse") else {
        return;
    };
    let cases = lines(folder.join("cases.jsonl"));
    for case in &cases {
        let pem = fs::read_to_string(folder.join(text(case, "key"))).unwrap();
        let mut key = PublicKey::from_pem(&pem).unwrap();
        if let Some(algorithm) = case["alg"].as_str() {
            key = key.with_algorithm(algorithm.parse().unwrap()).unwrap();
        }
        let envelope = fs::read(folder.join(text(case, "envelope"))).unwrap();
        let verified =
            Envelope::parse(&envelope).is_ok_and(|envelope| envelope.verify(&key).is_ok());
        assert_eq!(verified, text(case, "expect") == "accept", "{}", case["id"]);
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
    let mut accepted = 0;
    for case in &cases {
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
    let algorithm = match optional["dev.cosignproject.cosign/sigalg"].as_str()? {
        "ECDSA_P256_SHA256" => "ecdsa-der-sha256",
        "RSASSA_PKCS1V15_SHA256" => "rsa-pkcs1-sha256",
        "RSASSA_PSS_SHA256" => "rsa-pss-sha256",
        _ => return None,
    };
    let text = optional["dev.cosignproject.cosign/pub"].as_str()?;
    let pem = String::from_utf8(STANDARD_NO_PAD.decode(text).ok()?).ok()?;
    let key = PublicKey::from_bare_pem(&pem).ok()?;
    key.with_algorithm(algorithm.parse().unwrap()).ok()
}
