//! Signatures with certificates, and a policy that requires them.

// Each test program uses its own part of this.
#![allow(dead_code)]

use attest::predicate::COSIGN_SIGN;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::Digest;
use serde_json::{Value, json};
use signature::PrivateKey;
use verifier::policy::{InvalidPolicy, Policy};
use verifier::published::{Certified, Form, Piece};

use crate::case::{Case, REPOSITORY, legacy_signature, piece, referrer, statement};
use crate::world::{Entry, ISSUER, Leaf, SUBJECT, TIME, World, hashed, pem};

/// The policy of `case`, which requires the workflow's signature as well.
pub fn policy_text(case: &Case) -> String {
    let required = "require = [\"builder\"]\nthreshold = 1";
    assert!(case.policy.contains(required));
    let both = "require = [\"builder\", \"workflow\"]\nthreshold = 2";
    format!(
        "{}[keyless]\ntrusted_root = \"root.json\"\n[[principal]]\nname = \"workflow\"\n\
         issuer = \"{ISSUER}\"\nsubject = \"{SUBJECT}\"\n",
        case.policy.replacen(required, both, 1)
    )
}

pub fn parse(text: &str, root: &Value) -> Result<Policy, InvalidPolicy> {
    let root = root.to_string().into_bytes();
    Policy::parse(text.as_bytes(), &|_| Ok(root.clone()))
}

pub fn bundle(world: &World, leaf: &Leaf, digest: &Digest) -> Piece {
    let payload = statement(REPOSITORY, digest, COSIGN_SIGN, json!({}));
    let bytes = world.bundle_of(leaf, &payload).to_string().into_bytes();
    piece(referrer(&bytes), Form::Bundle, Some(COSIGN_SIGN), bytes)
}

/// What `cosign sign` wrote before bundles.
pub fn legacy(world: &World, leaf: &Leaf, digest: &Digest) -> Piece {
    let certificate = pem("CERTIFICATE", &leaf.der);
    let piece = legacy_signature(&leaf.key, REPOSITORY, digest);
    promised(world, piece, Some(certificate.clone()), &certificate)
}

/// What `cosign sign --key` wrote before bundles: a signature in the log, without a certificate.
pub fn legacy_of_key(world: &World, key: &PrivateKey, digest: &Digest) -> Piece {
    let piece = legacy_signature(key, REPOSITORY, digest);
    promised(world, piece, None, &key.public().to_pem())
}

/// A signature in the legacy layout with the promise of the log to enter it, as one that `verifier` verifies.
fn promised(world: &World, mut piece: Piece, certificate: Option<String>, verifier: &str) -> Piece {
    let Form::SimpleSigning { signature } = &piece.form else {
        panic!("no signature");
    };
    let signed = STANDARD.decode(signature).unwrap();
    let body = hashed(&Digest::of(&piece.bytes), &signed, verifier);
    let (log, time) = (&world.log, TIME);
    let entry = Entry { log, time, body }.logged();
    let promise = json!({
        "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
        "Payload": {
            "body": entry["canonicalizedBody"],
            "integratedTime": TIME,
            "logIndex": 0,
            "logID": log.public().key_id().hex(),
        },
    });
    piece.certified = Some(Certified {
        certificate,
        chain: None,
        promise: Some(promise.to_string()),
        timestamp: None,
    });
    piece
}
