//! What this crate publishes, read by cosign, on a registry without the referrers API. A test whose
//! program is missing is reported as skipped.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test, its helpers included"
)]

mod world;

use std::process::Command;

use attest::predicate::COSIGN_SIGN;
use attest::{Statement, Subject, Vsa};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use content::Digest;
use oci::{Descriptor, Manifest, Tag, media};
use serde_json::{Value, json};
use signature::bundle::Bundle;
use signature::envelope::{Envelope, IN_TOTO, pae};
use signature::simple_signing::{Payload, payload};
use signature::{Annotations, PublicKey};
use signer::{Published, Signer, attest_image, is_attested, is_signed, sign_image};
use world::{World, predicates, program};

#[tokio::test]
async fn cosign_verifies_what_we_publish() {
    let (Some(world), Some(cosign)) = (
        World::new("cosign_verifies_what_we_publish").await,
        program("cosign"),
    ) else {
        return;
    };
    let signer = world.signer("ours").await;
    world.signer("other").await;
    world.publish(&signer).await;
    for words in [
        &["verify"][..],
        &["verify", "--new-bundle-format=false"],
        &["verify-attestation", "--type", "slsaprovenance1"],
        &[
            "verify-attestation",
            "--type",
            "slsaprovenance1",
            "--new-bundle-format=false",
        ],
        &["verify-attestation", "--type", "cyclonedx"],
        &[
            "verify-attestation",
            "--type",
            "cyclonedx",
            "--new-bundle-format=false",
        ],
    ] {
        assert!(world.cosign(&cosign, "ours.pub", words), "{words:?}");
        assert!(!world.cosign(&cosign, "other.pub", words), "{words:?}");
    }
    assert!(!world.cosign(
        &cosign,
        "ours.pub",
        &["verify-attestation", "--type", "vuln"]
    ));
}

/// By default cosign 3 signs a digest without a repository; with these flags it signs both.
#[tokio::test]
async fn cosign_signs_a_repository_with_flags() {
    let (Some(world), Some(cosign)) = (
        World::new("cosign_signs_a_repository_with_flags").await,
        program("cosign"),
    ) else {
        return;
    };
    let cosign = |words: &[&str]| {
        let mut command = Command::new(&cosign);
        command.args(words).current_dir(&world.folder);
        command.env("HOME", world.folder.path());
        let output = command.env("COSIGN_PASSWORD", "").output().unwrap();
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {printed}");
    };
    cosign(&["generate-key-pair"]);
    let image = world.image.to_string();
    let sign = |words: &[&str]| {
        let start = ["sign", "--key", "cosign.key", "--allow-http-registry", "-y"];
        let offline = ["--use-signing-config=false", "--tlog-upload=false"];
        cosign(&[&start[..], &offline, words, &[image.as_str()]].concat());
    };
    sign(&[]);
    let [(_, bundle)] = &world.bundles().await[..] else {
        panic!("not one bundle");
    };
    let key = std::fs::read_to_string(world.folder.path().join("cosign.pub")).unwrap();
    let key = PublicKey::from_pem(&key).unwrap();
    let statement = bundle.envelope().verify(&key).unwrap();
    let statement = Statement::<Value>::parse(statement).unwrap();
    assert_eq!(statement.subject[0].name, None);
    sign(&["--new-bundle-format=false"]);
    let [(_, payload)] = &world.layers(".sig").await[..] else {
        panic!("not one payload");
    };
    let payload: Value = serde_json::from_slice(payload).unwrap();
    let repository = &payload["critical"]["identity"]["docker-reference"];
    assert_eq!(*repository, world.image.repository.to_string());
}

#[tokio::test]
async fn publishing_again_changes_nothing() {
    let Some(world) = World::new("publishing_again_changes_nothing").await else {
        return;
    };
    let signer = world.signer("ours").await;
    world.publish(&signer).await;
    let before = world.published().await;
    world.publish(&signer).await;
    assert_eq!(world.published().await, before);
}

#[tokio::test]
async fn what_is_there_is_found_in_both_layouts() {
    let Some(world) = World::new("what_is_there_is_found_in_both_layouts").await else {
        return;
    };
    let (signer, other) = (world.signer("ours").await, world.signer("other").await);
    let (registry, image) = (&world.registry, &world.image);
    let none = Annotations::default();
    let found = async |key: &PublicKey| {
        let mut found = vec![is_signed(registry, image, key, &none).await.unwrap()];
        for (kind, predicate) in predicates() {
            let is_there = is_attested(registry, image, key, &(&kind).into(), &predicate).await;
            found.push(is_there.unwrap());
        }
        found
    };
    assert!(!found(signer.public()).await.contains(&true));
    publish_flipped(&world, &signer).await;
    assert!(found(signer.public()).await[0]);
    world.publish(&signer).await;
    assert!(!found(signer.public()).await.contains(&false));
    assert!(!found(other.public()).await.contains(&true));
}

/// Signatures by Cloud KMS differ each time. What was published with one signature is completed with
/// another, and not published twice.
#[tokio::test]
async fn another_signature_of_the_same_key_is_enough() {
    let Some(world) = World::new("another_signature_of_the_same_key_is_enough").await else {
        return;
    };
    let signer = world.signer("ours").await;
    publish_flipped(&world, &signer).await;
    let before = world.published().await;
    world.publish(&signer).await;
    assert_eq!(world.published().await, before);
}

/// A verdict that differs only in its time is not published again.
#[tokio::test]
async fn the_same_verdict_is_published_once() {
    let Some(world) = World::new("the_same_verdict_is_published_once").await else {
        return;
    };
    let signer = world.signer("ours").await;
    world.publish(&signer).await;
    let (registry, image) = (&world.registry, &world.image);
    let attest = async |time: &str, result: &str| {
        let verdict = json!({"timeVerified": time, "verificationResult": result});
        let attested = attest_image(registry, image, &signer, &Vsa::PREDICATE, verdict).await;
        assert_eq!(attested.unwrap(), Published::Listed);
        world.published().await
    };
    let first = attest("2026-01-01T00:00:00Z", "PASSED").await;
    assert_eq!(attest("2026-01-02T00:00:00Z", "PASSED").await, first);
    assert_ne!(attest("2026-01-02T00:00:00Z", "FAILED").await, first);
}

/// A verdict that is missing in one layout is completed with the envelope of the other.
#[tokio::test]
async fn half_a_verdict_is_completed_with_the_same_envelope() {
    let test = "half_a_verdict_is_completed_with_the_same_envelope";
    let Some(world) = World::new(test).await else {
        return;
    };
    let signer = world.signer("ours").await;
    let repository = world.image.repository.to_string();
    let subject = Subject::image(&repository, &world.image.digest);
    let early = Statement::new(
        subject,
        Vsa::PREDICATE.uri,
        json!({"timeVerified": "early"}),
    );
    let early = early.to_bytes().unwrap();
    let signature = signer.sign(&pae(IN_TOTO, &early)).await.unwrap();
    let envelope = Envelope::new(IN_TOTO, early.clone(), "", signature);
    let bytes = envelope.to_bytes().unwrap();
    let layer = Descriptor::of(media::DSSE_ENVELOPE, &bytes);
    let tag = Tag::of_digest(&world.image.digest, ".att").unwrap();
    let (registry, image) = (&world.registry, &world.image);
    registry.append_layer(&tag, layer, &bytes).await.unwrap();
    let late = json!({"timeVerified": "late"});
    let attested = attest_image(registry, image, &signer, &Vsa::PREDICATE, late).await;
    assert_eq!(attested.unwrap(), Published::Listed);
    assert_eq!(world.layers(".att").await.len(), 1);
    let [(_, bundle)] = &world.bundles().await[..] else {
        panic!("not one bundle");
    };
    assert_eq!(bundle.envelope().verify(signer.public()).unwrap(), early);
}

#[tokio::test]
async fn a_missing_image_is_not_signed() {
    let Some(mut world) = World::new("nothing_is_signed_that_is_not_there").await else {
        return;
    };
    let signer = world.signer("ours").await;
    world.image.digest = Digest::of(b"another image");
    let error = sign_image(
        &world.registry,
        &world.image,
        &signer,
        &Annotations::default(),
    )
    .await;
    assert!(matches!(error, Err(signer::Error::Registry(_))));
    let tag = Tag::of_digest(&world.image.digest, ".sig").unwrap();
    assert_eq!(world.registry.manifest_by_tag(&tag).await.unwrap(), None);
}

/// The other valid form of a signature: (r, n - s) for (r, s).
fn flip(signature: &[u8]) -> Vec<u8> {
    let signature = p256::ecdsa::Signature::from_der(signature).unwrap();
    let (r, s) = signature.split_scalars();
    let flipped = p256::ecdsa::Signature::from_scalars(r, -s).unwrap();
    flipped.to_der().as_bytes().to_vec()
}

async fn publish_flipped(world: &World, signer: &Signer) {
    let repository = world.image.repository.to_string();
    let none = Annotations::default();
    let payload = payload(&repository, &world.image.digest, signer.public(), &none).unwrap();
    let signature = flip(&signer.sign(&payload).await.unwrap());
    let mut layer = Descriptor::of(media::SIMPLE_SIGNING, &payload);
    let annotation = (
        "dev.cosignproject.cosign/signature".to_owned(),
        BASE64.encode(signature),
    );
    layer.annotations = [annotation].into();
    let tag = Tag::of_digest(&world.image.digest, ".sig").unwrap();
    world
        .registry
        .append_layer(&tag, layer, &payload)
        .await
        .unwrap();
    for (kind, predicate) in published() {
        let subject = Subject::image(&repository, &world.image.digest);
        let statement = Statement::new(subject, kind, predicate).to_bytes().unwrap();
        let signature = flip(&signer.sign(&pae(IN_TOTO, &statement)).await.unwrap());
        publish_envelope(
            world,
            signer,
            Envelope::new(IN_TOTO, statement, "", signature),
        )
        .await;
    }
}

async fn publish_envelope(world: &World, signer: &Signer, envelope: Envelope) {
    let bytes = envelope.to_bytes().unwrap();
    let layer = Descriptor::of(media::DSSE_ENVELOPE, &bytes);
    let tag = Tag::of_digest(&world.image.digest, ".att").unwrap();
    world
        .registry
        .append_layer(&tag, layer, &bytes)
        .await
        .unwrap();
    let bytes = Bundle::new(envelope).to_bytes(signer.public()).unwrap();
    let layer = world
        .registry
        .push_blob(media::SIGSTORE_BUNDLE, &bytes)
        .await
        .unwrap();
    let image = world.registry.manifest(&world.image.digest).await.unwrap();
    let subject = Descriptor::of(media::MANIFEST, &image);
    let manifest = Manifest::referrer(media::SIGSTORE_BUNDLE, layer, subject);
    world.registry.attach_referrer(manifest).await.unwrap();
}

#[tokio::test]
async fn two_signers_do_not_replace_each_other() {
    let Some(world) = World::new("two_signers_stand_side_by_side").await else {
        return;
    };
    let signers = [world.signer("a").await, world.signer("b").await];
    for signer in &signers {
        world.publish(signer).await;
    }
    let keys = signers.each_ref().map(Signer::public);
    check_payloads(&world, keys).await;
    check_envelopes(&world, keys).await;
    check_bundles(&world, keys).await;
}

async fn check_payloads(world: &World, keys: [&PublicKey; 2]) {
    let layers = world.layers(".sig").await;
    assert_eq!(layers.len(), 2);
    for ((layer, bytes), key) in layers.iter().zip(keys) {
        assert_eq!(layer.media_type, media::SIMPLE_SIGNING);
        let signature = &layer.annotations["dev.cosignproject.cosign/signature"];
        let signature = BASE64.decode(signature).unwrap();
        let payload = Payload::verify(bytes, &signature, key).unwrap();
        assert_eq!(payload.image_digest(), world.image.digest);
        assert_eq!(payload.repository(), world.image.repository.to_string());
    }
}

async fn check_envelopes(world: &World, keys: [&PublicKey; 2]) {
    let layers = world.layers(".att").await;
    assert_eq!(layers.len(), 4);
    for (index, (layer, bytes)) in layers.iter().enumerate() {
        let envelope = Envelope::parse(bytes).unwrap();
        let statement = envelope.verify(keys[index / 2]).unwrap();
        let (kind, predicate) = &predicates()[index % 2];
        check_statement(world, statement, kind.uri, predicate);
        assert_eq!(layer.annotations["predicateType"], kind.uri);
    }
}

async fn check_bundles(world: &World, keys: [&PublicKey; 2]) {
    let bundles = world.bundles().await;
    assert_eq!(bundles.len(), 6);
    for (kind, predicate) in published() {
        for key in keys {
            let mut by_key = bundles.iter().filter_map(|(manifest, bundle)| {
                let stated = &manifest.annotations["dev.sigstore.bundle.predicateType"];
                let payload = bundle.envelope().verify(key).ok()?;
                (stated == kind).then_some(payload)
            });
            check_statement(world, by_key.next().unwrap(), kind, &predicate);
            assert!(by_key.next().is_none(), "{kind} twice");
        }
    }
}

/// What each signer publishes in bundles, by the URI of the predicate.
fn published() -> impl Iterator<Item = (&'static str, Value)> {
    let predicates = predicates().map(|(kind, predicate)| (kind.uri, predicate));
    predicates.into_iter().chain([(COSIGN_SIGN, json!({}))])
}

fn check_statement(world: &World, bytes: &[u8], kind: &str, predicate: &Value) {
    let statement = Statement::<Value>::parse(bytes).unwrap();
    assert_eq!(statement.predicate_type, kind);
    assert_eq!(&statement.predicate, predicate);
    let [subject] = &statement.subject[..] else {
        panic!("{} subjects", statement.subject.len());
    };
    assert_eq!(subject.digest["sha256"], world.image.digest.hex());
    assert_eq!(subject.name, Some(world.image.repository.to_string()));
}
