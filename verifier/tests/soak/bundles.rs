//! Sigstore bundles, with certificates and with keys, and the trusted root.

use attest::predicate::COSIGN_SIGN;
use content::Digest;
use keyless::{Artifact, Bundle, Subject as Who, TrustRoot, Trusted, verify_key, verify_keyless};
use serde_json::{Value, json};
use signature::bundle::Bundle as Own;

use crate::case::{REPOSITORY, keys, sealed, statement};
use crate::subject::Subject;
use crate::world::{ARTIFACT, ISSUER, SUBJECT, World, now, params};

fn payload() -> Vec<u8> {
    statement(REPOSITORY, &Digest::of(ARTIFACT), COSIGN_SIGN, json!({}))
}

pub fn subjects() -> Vec<Subject> {
    let world = World::new();
    let root = world.root();
    let message = world.bundle();
    let envelope = world.bundle_of(&world.leaf(&params()), &payload());
    let key = keys().builder;
    let by_key = world.bundle_by_key(&key);
    let own = Own::new(sealed(&key, payload())).to_bytes(key.public());
    let own = own.unwrap();
    vec![
        keyless("bundle by certificate, file", &message, root.clone()),
        keyless("bundle by certificate, statement", &envelope, root.clone()),
        with_root("trusted root", &message, &root),
        keyed("bundle by key, file", text(&by_key), root.clone()),
        keyed("bundle by key, statement", own.clone(), root),
        own_reader(own),
    ]
}

fn text(document: &Value) -> Vec<u8> {
    document.to_string().into_bytes()
}

fn judge_keyless(root: &[u8], bundle: &[u8]) -> Option<String> {
    let trusted = Trusted {
        issuer: Some(ISSUER.to_owned()),
        subject: Who::Exact(SUBJECT.to_owned()),
    };
    let root = TrustRoot::parse(root).ok()?;
    let bundle = Bundle::parse(bundle).ok()?;
    let artifact = Artifact::Bytes(ARTIFACT);
    let verified = verify_keyless(&bundle, &artifact, &trusted, &root, now()).ok()?;
    Some(format!("{verified:?}"))
}

fn keyless(name: &'static str, bundle: &Value, root: Value) -> Subject {
    let bytes = text(&root);
    let subject = Subject::sealed(name, vec![text(bundle)], move |parts| {
        judge_keyless(&bytes, &parts[0])
    });
    subject.with_root(&root)
}

/// The user trusts the root, but a root that is read otherwise than it says must not vouch for more.
fn with_root(name: &'static str, bundle: &Value, root: &Value) -> Subject {
    let bundle = text(bundle);
    Subject::sealed(name, vec![text(root)], move |parts| {
        judge_keyless(&parts[0], &bundle)
    })
}

fn keyed(name: &'static str, bundle: Vec<u8>, root: Value) -> Subject {
    let parsed = TrustRoot::parse(&text(&root)).unwrap();
    let key = keys().builder.public().clone();
    let subject = Subject::sealed(name, vec![bundle], move |parts| {
        let bundle = Bundle::parse(&parts[0]).ok()?;
        let artifact = Artifact::Bytes(ARTIFACT);
        let verified = verify_key(&bundle, &artifact, &key, Some(&parsed), now()).ok()?;
        Some(format!(
            "{:?} {:?}",
            verified.signer(),
            verified.statement()
        ))
    });
    subject.with_root(&root)
}

/// The reader of bundles by key that needs no evidence.
fn own_reader(bundle: Vec<u8>) -> Subject {
    let key = keys().builder.public().clone();
    Subject::sealed(
        "bundle by key, without evidence",
        vec![bundle],
        move |parts| {
            let bundle = Own::parse(&parts[0]).ok()?;
            let envelope = bundle.envelope();
            let payload = envelope.verify(&key).ok()?;
            Some(format!("{} {payload:?}", envelope.payload_type()))
        },
    )
}
