//! Envelopes, legacy signatures, and whole images whose evidence passes.

use attest::predicate::COSIGN_SIGN;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use content::Digest;
use serde_json::json;
use signature::envelope::Envelope;
use signature::simple_signing::Payload;
use verifier::appraise::appraise;
use verifier::evidence::Evidence;
use verifier::examine::examine;
use verifier::policy::Policy;
use verifier::published::{Certified, Form, Piece};
use verifier::verdict::Verdict;

use crate::case::{Case, NOW, REPOSITORY, keys, legacy_signature, sealed, statement};
use crate::certified::{legacy, parse, policy_text};
use crate::subject::Subject;
use crate::world::{self, World, params};

pub fn subjects() -> Vec<Subject> {
    vec![
        envelope(),
        signature(),
        verdict("verdict, legacy layout", Form::Envelope),
        verdict("verdict, bundles", Form::Bundle),
        certified(),
    ]
}

fn envelope() -> Subject {
    let keys = keys();
    let payload = statement(REPOSITORY, &Digest::of(b"x"), COSIGN_SIGN, json!({}));
    let mut document = sealed(&keys.builder, payload.clone()).to_bytes().unwrap();
    // Another signature beside it, as from a second signer.
    let other = sealed(&keys.collaborator, payload).to_bytes().unwrap();
    let mut both: serde_json::Value = serde_json::from_slice(&document).unwrap();
    let other: serde_json::Value = serde_json::from_slice(&other).unwrap();
    let signatures = both["signatures"].as_array_mut().unwrap();
    signatures.push(other["signatures"][0].clone());
    document = both.to_string().into_bytes();
    let key = keys.builder.public().clone();
    Subject::sealed("envelope", vec![document], move |parts| {
        let envelope = Envelope::parse(&parts[0]).ok()?;
        let payload = envelope.verify(&key).ok()?;
        Some(format!("{} {payload:?}", envelope.payload_type()))
    })
}

fn signature() -> Subject {
    let key = keys().builder;
    let piece = legacy_signature(&key, REPOSITORY, &Digest::of(b"x"));
    let Form::SimpleSigning { signature } = piece.form else {
        panic!("no signature");
    };
    let signature = signature.into_bytes();
    let parts = vec![signature, piece.bytes];
    Subject::sealed("legacy signature", parts, move |parts| {
        let signature = STANDARD.decode(&parts[0]).ok()?;
        let payload = Payload::verify(&parts[1], &signature, key.public()).ok()?;
        let (repository, digest) = (payload.repository(), payload.image_digest());
        Some(format!(
            "{repository} {digest} {}",
            payload.names(key.public())
        ))
    })
}

/// An image of which every signature and statement is needed. The registry serves each with its digest, so that only
/// signatures protect them.
fn verdict(name: &'static str, form: Form) -> Subject {
    let mut case = Case::passing();
    let is_bundle = |piece: &Piece| piece.form == Form::Bundle;
    case.published
        .pieces
        .retain(|piece| is_bundle(piece) == (form == Form::Bundle));
    let policy = case.policy();
    image(name, case, policy, NOW)
}

fn certified() -> Subject {
    let (world, mut case) = (World::new(), Case::passing());
    let leaf = world.leaf(&params());
    case.published
        .pieces
        .retain(|piece| piece.form != Form::Bundle);
    let signature = legacy(&world, &leaf, &case.image.digest);
    case.published.pieces.push(signature);
    let root = world.root();
    let policy = parse(&policy_text(&case), &root).unwrap();
    let name = "verdict, certificate in annotations";
    image(name, case, policy, world::now()).with_root(&root)
}

fn image(name: &'static str, case: Case, policy: Policy, now: DateTime<Utc>) -> Subject {
    let parts = case.published.pieces.iter().flat_map(parts_of).collect();
    let published = case.published.clone();
    let rebuild = case.rebuild.clone();
    Subject::sealed(name, parts, move |parts| {
        let mut published = published.clone();
        let mut parts = parts.iter();
        for piece in &mut published.pieces {
            set(piece, &mut parts)?;
        }
        let attested = examine(published, policy.principals(), now);
        let signatures = attested.signatures().iter();
        let mut said: Vec<_> = signatures.map(|one| format!("{one:?}")).collect();
        said.extend(attested.statements().iter().map(|one| format!("{one:?}")));
        let evidence = Evidence::new(attested, rebuild.clone());
        match Verdict::of(appraise(&evidence, &policy, now)) {
            Verdict::Pass(_) => Some(said.join("\n")),
            Verdict::Fail(_) => None,
        }
    })
}

/// What a registry can change about a piece.
fn parts_of(piece: &Piece) -> Vec<Vec<u8>> {
    let mut parts = vec![piece.bytes.clone()];
    if let Form::SimpleSigning { signature } = &piece.form {
        parts.push(signature.clone().into_bytes());
    }
    if let Some(certified) = &piece.certified {
        parts.push(certified.certificate.clone().unwrap().into_bytes());
        parts.push(certified.promise.clone().unwrap().into_bytes());
    }
    parts
}

fn set<'a>(piece: &mut Piece, parts: &mut impl Iterator<Item = &'a Vec<u8>>) -> Option<()> {
    piece.bytes.clone_from(parts.next()?);
    piece.digest = Digest::of(&piece.bytes);
    // Annotations are text in a document that is.
    let mut text = || String::from_utf8(parts.next()?.clone()).ok();
    if let Form::SimpleSigning { signature } = &mut piece.form {
        *signature = text()?;
    }
    if let Some(certified) = &mut piece.certified {
        *certified = Certified {
            certificate: Some(text()?),
            chain: None,
            promise: Some(text()?),
            timestamp: None,
        };
    }
    Some(())
}
