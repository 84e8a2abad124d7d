//! Attestations of types that the programs do not parse, as cosign reads and writes them. A test whose program is
//! missing is reported as skipped.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    dead_code,
    reason = "a test, its helpers included"
)]

mod world;

use std::process::Command;

use attest::kind::CUSTOM;
use attest::text::unwrapped;
use attest::{PredicateType, Statement};
use serde_json::{Value, json};
use signature::envelope::Envelope;
use signature::{PrivateKey, PublicKey};
use signer::{Published, attest_image};
use world::{World, program};

const POLICY: &str = r#"package signature
allow {
  input.predicateType == "https://cosign.sigstore.dev/attestation/v1"
  data := json.unmarshal(input.predicate.Data)
  data.foo == "bar"
}"#;

#[tokio::test]
async fn cosign_reads_each_type_that_it_has_a_name_for() {
    let (Some(world), Some(cosign)) = (
        World::new("cosign_reads_each_type_that_it_has_a_name_for").await,
        program("cosign"),
    ) else {
        return;
    };
    let signer = world.signer("ours").await;
    let legacy = "--new-bundle-format=false";
    for (name, file) in [
        ("custom", &br#"{"foo": "bar", "score": 7.5}"#[..]),
        ("vuln", br#"{"scanner": {"result": {"score": 7.5}}}"#),
        ("openvex", br#"{"statements": []}"#),
        ("link", br#"{"name": "test"}"#),
        ("https://example.com/review/v1", br#"{"approved": true}"#),
    ] {
        let kind: PredicateType = name.parse().unwrap();
        let predicate = kind.predicate(file, "2026-11-28T00:00:00Z").unwrap();
        let attested = attest_image(&world.registry, &world.image, &signer, kind, predicate);
        assert_eq!(attested.await.unwrap(), Published::Listed);
        let words = ["verify-attestation", "--type", name];
        assert!(world.cosign(&cosign, "ours.pub", &words), "{name}");
        let words = [&words[..], &[legacy]].concat();
        assert!(world.cosign(&cosign, "ours.pub", &words), "{name}");
    }
    let judged = |policy: &str| {
        let path = world.folder.path().join("policy.rego");
        std::fs::write(&path, policy).unwrap();
        let path = path.to_str().unwrap();
        let words = ["verify-attestation", "--type", "custom", "--policy", path];
        world.cosign(&cosign, "ours.pub", &words)
    };
    assert!(judged(POLICY));
    assert!(!judged(&POLICY.replace("bar", "baz")));
}

#[tokio::test]
async fn text_in_attestations_of_cosign_is_read() {
    let (Some(world), Some(cosign)) = (
        World::new("text_in_attestations_of_cosign_is_read").await,
        program("cosign"),
    ) else {
        return;
    };
    let folder = world.folder.path();
    let key = PrivateKey::generate().unwrap();
    std::fs::write(folder.join("key.pem"), key.to_pem().unwrap()).unwrap();
    std::fs::write(folder.join("custom.json"), "{\"foo\": \"bar\"}\n").unwrap();
    let image = world.image.to_string();
    let run = |words: &[&str]| {
        let mut command = Command::new(&cosign);
        command.args(words).current_dir(folder).env("HOME", folder);
        let output = command.env("COSIGN_PASSWORD", "").output().unwrap();
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {printed}");
    };
    run(&["import-key-pair", "--key", "key.pem"]);
    run(&[
        "attest",
        "--key",
        "import-cosign.key",
        "--type",
        "custom",
        "--predicate",
        "custom.json",
        "--allow-http-registry",
        "--new-bundle-format=false",
        "--use-signing-config=false",
        "--tlog-upload=false",
        "-y",
        &image,
    ]);
    let [(_, envelope)] = &world.layers(".att").await[..] else {
        panic!("not one attestation");
    };
    let statement = of_cosign(envelope, key.public());
    assert_eq!(statement.predicate_type, CUSTOM);
    assert!(statement.predicate["Data"].is_string());
    let meant = unwrapped(&statement.predicate_type, &statement.predicate)
        .unwrap()
        .unwrap();
    assert_eq!(meant["Data"], json!({"foo": "bar"}));
}

fn of_cosign(envelope: &[u8], key: &PublicKey) -> Statement<Value> {
    let envelope = Envelope::parse(envelope).unwrap();
    Statement::parse(envelope.verify(key).unwrap()).unwrap()
}
