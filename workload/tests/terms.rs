//! The entries of the terms about signers and late binding, and the entries that may be left out.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::time::Duration;

use serde_json::{Value, json};
use tee::Services;
use workload::terms::{Origin, Terms};

/// Public keys of P-256, Ed25519, and RSA twice.
fn keys() -> Vec<String> {
    let file = include_str!("../../crates/tee/tests/data/signatures.json");
    let vectors: Vec<Value> = serde_json::from_str(file).unwrap();
    let pem = |vector: &Value| vector["pem"].as_str().unwrap().to_owned();
    vectors.iter().map(pem).collect()
}

const ID: &str = "df6b07176a9b17cc4c9afc257bd404732e7d09b76436c7890f7b7be14e579794";

fn parse(signers: Value, late_binding: Value) -> Result<Terms, String> {
    let mut terms = json!({"job": {"exec": {}}, "signers": signers});
    if !late_binding.is_null() {
        terms["late_binding"] = late_binding;
    }
    Terms::parse(terms.to_string().as_bytes()).map_err(|error| error.to_string())
}

fn signers() -> Value {
    let keys = keys();
    json!([{"name": "acme", "keys": [keys[0], keys[1]]}, {"name": "bank", "keys": [keys[2]]}])
}

#[test]
fn the_smallest_terms_have_signers_and_a_job() {
    let terms = parse(json!([{"name": "acme", "key_id": ID}]), Value::Null).unwrap();
    assert_eq!(terms.services, Services::default());
    assert_eq!(terms.messages, None);
    assert!(terms.collaborators.is_empty());
    assert_eq!(terms.late_binding.from, [Origin::Token]);
    assert_eq!(terms.late_binding.wait, Duration::ZERO);
    assert_eq!(terms.late_binding.quorum.threshold(), 1);
}

#[test]
fn late_binding_names_its_sources() {
    let all = json!({
        "from": ["token", "registry", "argument", "environment", "metadata"],
        "repository": "registry.example/acme/server", "threshold": 1, "wait_seconds": 600, "expires_at": 1_893_456_000_u64,
    });
    let terms = parse(signers(), all).unwrap();
    let quorum = terms.late_binding.quorum;
    assert_eq!(terms.late_binding.from.len(), 5);
    assert_eq!((quorum.threshold(), quorum.parties().len()), (1, 2));
    assert_eq!(
        quorum.repository().unwrap().to_string(),
        "registry.example/acme/server"
    );
    assert_eq!(terms.late_binding.wait, Duration::from_secs(600));
}

#[test]
fn refuses_late_binding_that_cannot_be_meant() {
    let repository = "registry.example/acme/server";
    for (late_binding, reason) in [
        (json!({}), "missing field `from`"),
        (
            json!({"from": []}),
            "expected one or several sources in from, each once",
        ),
        (
            json!({"from": ["token", "token"]}),
            "expected one or several sources in from, each once",
        ),
        (json!({"from": ["email"]}), "unknown variant `email`"),
        (
            json!({"from": ["token"], "wait": 1}),
            "unknown field `wait`",
        ),
        (
            json!({"from": ["registry"]}),
            "all sources but token need a repository",
        ),
        (
            json!({"from": ["token"], "repository": repository}),
            "a repository has no effect on the source token",
        ),
        (
            json!({"from": ["registry"], "repository": "acme/server"}),
            "invalid repository \"acme/server\"",
        ),
        (
            json!({"from": ["registry"], "repository": format!("{repository}:v1")}),
            "invalid repository",
        ),
        (
            json!({"from": ["token"], "threshold": 0}),
            "invalid threshold 0: expected 1 to 2",
        ),
        (
            json!({"from": ["token"], "threshold": 3}),
            "invalid threshold 3: expected 1 to 2",
        ),
        (
            json!({"from": ["token"], "wait_seconds": 604_801}),
            "invalid wait_seconds 604801",
        ),
        (
            json!({"from": ["token"], "wait_seconds": -1}),
            "invalid value: integer `-1`",
        ),
    ] {
        let error = parse(signers(), late_binding).unwrap_err();
        assert!(error.contains(reason), "{reason}: {error}");
    }
}

#[test]
fn refuses_signers_that_share_a_key_or_cannot_be_counted() {
    let keys = keys();
    let (p256, ed25519) = (&keys[0], &keys[1]);
    let other = json!({"from": ["metadata"], "repository": "registry.example/acme/server"});
    for (signers, late_binding, reason) in [
        (json!([]), Value::Null, "no signer is named"),
        (
            json!([{"name": "acme"}]),
            Value::Null,
            "signer acme: expected key_id or keys",
        ),
        (
            json!([{"name": "acme", "keys": []}]),
            Value::Null,
            "signer \"acme\" has no key",
        ),
        (
            json!([{"name": "acme", "key_id": ID, "keys": [p256]}]),
            Value::Null,
            "expected key_id or keys",
        ),
        (
            json!([{"name": "acme", "key_id": "DF"}]),
            Value::Null,
            "signer acme: invalid key_id",
        ),
        (
            json!([{"name": "acme", "keys": ["x"]}]),
            Value::Null,
            "signer acme: expected one PEM block",
        ),
        (
            json!([{"name": "acme", "keys": [p256]}, {"name": "bank", "keys": [ed25519, p256]}]),
            Value::Null,
            "occurs twice: it is a key of acme and of bank",
        ),
        (
            json!([{"name": "a", "key_id": ID}, {"name": "a", "keys": [p256]}]),
            Value::Null,
            "signer \"a\" occurs twice",
        ),
        (
            json!([{"name": "acme", "keys": [ed25519]}]),
            Value::Null,
            "signer acme: no source can count it",
        ),
        (
            json!([{"name": "acme", "key_id": ID}]),
            other,
            "signer acme: no source can count it",
        ),
    ] {
        let error = parse(signers, late_binding).unwrap_err();
        assert!(error.contains(reason), "{reason}: {error}");
    }
}

#[test]
fn messages_are_all_or_none() {
    let example = include_str!("../terms.json");
    let without = |names: &[&str]| {
        let mut terms: Value = serde_json::from_str(example).unwrap();
        for name in names {
            terms.as_object_mut().unwrap().remove(*name);
        }
        terms
    };
    let parse = |terms: &Value| {
        Terms::parse(terms.to_string().as_bytes()).map_err(|error| error.to_string())
    };
    for name in ["subscription", "subscriber", "deadline_seconds"] {
        let error = parse(&without(&[name])).unwrap_err();
        assert!(error.ends_with("belong together: all or none"), "{error}");
    }
    let mut terms = without(&["subscription", "subscriber", "deadline_seconds"]);
    assert!(
        parse(&terms)
            .unwrap_err()
            .ends_with("belong together: all or none")
    );
    for collaborator in terms["collaborators"].as_array_mut().unwrap() {
        collaborator.as_object_mut().unwrap().remove("messages");
    }
    let terms = parse(&terms).unwrap();
    assert_eq!(terms.messages, None);
    assert!(terms.collaborators.iter().all(|one| one.kms_key.is_some()));

    let mut terms = without(&[]);
    terms["collaborators"][1]
        .as_object_mut()
        .unwrap()
        .remove("kms_key");
    let error = parse(&terms).unwrap_err();
    assert_eq!(error, "collaborator-2 sends messages and has no kms_key");
}

#[test]
fn services_have_addresses_of_google_unless_the_terms_have_others() {
    let with = |name: &str, value: Value| {
        let mut terms = json!({"job": "count", "signers": [{"name": "acme", "key_id": ID}]});
        terms[name] = value;
        Terms::parse(terms.to_string().as_bytes()).map_err(|error| error.to_string())
    };
    let terms = with("endpoints", json!({"storage": "https://storage.example"})).unwrap();
    assert_eq!(terms.services.storage.as_str(), "https://storage.example");
    assert_eq!(terms.services.sts, Services::default().sts);
    for metadata in ["http://169.254.169.254", "http://metadata.google.internal/"] {
        assert!(with("endpoints", json!({"metadata": metadata})).is_ok());
        let error = with("endpoints", json!({"kms": metadata})).unwrap_err();
        assert!(
            error.contains("expected https, or http to a loopback address"),
            "{error}"
        );
    }
    let error = with("attestation", json!({"issuer": "https://issuer.example"})).unwrap_err();
    assert_eq!(error, "attestation: expected issuer and discovery");
}

/// The golden file of `builder init`.
#[test]
fn what_the_builder_starts_with_is_read() {
    let started = include_bytes!("../../builder/tests/golden/init/terms.json");
    let terms = Terms::parse(started).unwrap();
    assert_eq!(terms.late_binding.quorum.threshold(), 2);
    assert_eq!(terms.messages, None);
}

#[test]
fn a_log_that_nobody_can_read_ends_nothing() {
    let full = std::fs::File::create("/dev/full").unwrap();
    let mut workload = std::process::Command::new(env!("CARGO_BIN_EXE_workload"));
    let status = workload.stderr(full).status().unwrap();
    // There are no terms here, which is an error; a panic has another status.
    assert_eq!(status.code(), Some(2));
}
