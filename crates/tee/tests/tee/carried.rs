//! Signatures that the operator carries: in arguments, the environment and the metadata of the instance.

use serde_json::{Value, json};
use tee::{Carrier, Source};

use crate::signers::{REPOSITORY, SIGN};
use crate::world::{ATTRIBUTE, World, flavored, image};
use crate::{Signer, bind, failed, refused, two};

/// Changes a document.
type Change = fn(&mut Value);

fn by(by: Carrier, array: &Value) -> Source {
    Source::Given {
        by,
        arrays: vec![array.to_string()],
    }
}

#[test]
fn they_count_whoever_carries_them() {
    let (world, (signers, quorum)) = (World::new(), two());
    let all = json!([
        signers[0].carried(image(), REPOSITORY),
        signers[1].bundle(SIGN, image(), Some(REPOSITORY)),
    ]);
    for source in [by(Carrier::Arguments, &all), by(Carrier::Environment, &all)] {
        let bound = bind(&world, &quorum, &[source]).unwrap();
        assert_eq!(bound.signers(), ["acme", "bank"]);
    }
    assert!(
        refused(bind(&world, &quorum, &[Source::Metadata])).ends_with("not signed by acme, bank")
    );
    world.answer(ATTRIBUTE, flavored(200, all.to_string().as_bytes()));
    let bound = bind(&world, &quorum, &[Source::Metadata]).unwrap();
    assert_eq!(bound.signers(), ["acme", "bank"]);
    assert_eq!(
        world.calls_to("GET launcher"),
        0,
        "the launcher's cache is left alone"
    );
}

#[test]
fn they_are_for_this_image_in_this_repository() {
    let (world, (signers, quorum)) = (World::new(), two());
    let [acme, bank] = &signers;
    let other = tee::Digest::of(b"another image");
    let repository = "registry.example/other";
    for (wrong, reason) in [
        (
            bank.carried(other, REPOSITORY),
            format!("bank has signed another image, {other}"),
        ),
        (
            bank.bundle(SIGN, other, Some(REPOSITORY)),
            format!("bank has signed another image, {other}"),
        ),
        (
            bank.carried(image(), repository),
            format!("bank has signed for repository {repository:?}, not for {REPOSITORY}"),
        ),
        (
            bank.bundle(SIGN, image(), Some(repository)),
            format!("bank has signed for repository {repository:?}"),
        ),
        (
            bank.bundle(SIGN, image(), None),
            "bank has signed for no repository".to_owned(),
        ),
        (
            Signer::p256().carried(image(), REPOSITORY),
            "it is by none of the keys of the parties".to_owned(),
        ),
        (
            Signer::p256().bundle(SIGN, image(), Some(REPOSITORY)),
            "it is by none of the keys of the parties".to_owned(),
        ),
    ] {
        let array = json!([acme.carried(image(), REPOSITORY), wrong]);
        let refusal = refused(bind(&world, &quorum, &[by(Carrier::Environment, &array)]));
        let expected = format!("not signed by bank; not counted: COUNTERSIGN_SIGNATURES: {reason}");
        assert!(refusal.contains(&expected), "{refusal}");
    }
}

#[test]
fn another_statement_is_no_signature() {
    let (world, (signers, quorum)) = (World::new(), two());
    for predicate in [
        "https://slsa.dev/provenance/v1",
        "https://slsa.dev/verification_summary/v1",
    ] {
        let array: Vec<_> = signers
            .iter()
            .map(|one| one.bundle(predicate, image(), Some(REPOSITORY)))
            .collect();
        let refusal = refused(bind(
            &world,
            &quorum,
            &[by(Carrier::Arguments, &json!(array))],
        ));
        assert!(refusal.ends_with("not signed by acme, bank"), "{refusal}");
    }
}

#[test]
fn a_bundle_is_signed_with_a_key_once() {
    let (world, (signers, quorum)) = (World::new(), two());
    let changed = |change: fn(&mut Value)| {
        let mut bundle = signers[0].bundle(SIGN, image(), Some(REPOSITORY));
        change(&mut bundle);
        json!([bundle])
    };
    let changes: [(Change, &str); 7] = [
        (
            |b| b["verificationMaterial"]["certificate"] = json!({}),
            "expected a bundle signed with a key, found a certificate",
        ),
        (
            |b| b["verificationMaterial"]["x509CertificateChain"] = json!({}),
            "found a certificate",
        ),
        (
            |b| b["messageSignature"] = json!({}),
            "expected a bundle with an envelope and nothing else",
        ),
        (
            |b| b["payload"] = json!(""),
            "expected a bundle with an envelope and nothing else",
        ),
        (
            |b| b["mediaType"] = json!("application/vnd.dev.sigstore.bundle.v0.1+json"),
            "or a bundle of version 0.3",
        ),
        (
            |b| {
                let signature = b["dsseEnvelope"]["signatures"][0].clone();
                b["dsseEnvelope"]["signatures"]
                    .as_array_mut()
                    .unwrap()
                    .push(signature);
            },
            "expected exactly 1 signature in a bundle, found 2",
        ),
        (
            |b| b["dsseEnvelope"]["payloadType"] = json!("text/plain"),
            "it is by none of the keys of the parties",
        ),
    ];
    for (change, reason) in changes {
        let source = by(Carrier::Arguments, &changed(change));
        let refusal = refused(bind(&world, &quorum, &[source]));
        assert!(refusal.contains(reason), "{reason}: {refusal}");
    }
}

#[test]
fn garbage_is_no_signature() {
    let (world, (signers, quorum)) = (World::new(), two());
    let one = signers[0].carried(image(), REPOSITORY);
    let with = |name: &str, value: Value| {
        let mut one = one.clone();
        one[name] = value;
        json!([one]).to_string()
    };
    let many = vec![&one; 65];
    for (text, reason) in [
        (String::new(), "parsing signatures: "),
        ("{}".to_owned(), "parsing signatures: "),
        ("[[]]".to_owned(), "parsing signatures: "),
        (with("Payload", json!("")), "parsing signatures: "),
        (with("extra", json!(1)), "unknown field `extra`"),
        (with("payload", json!("%")), "expected a payload in base64"),
        (
            with("payload", json!("A".repeat(90_000))),
            "expected a payload in base64, of at most 64 KiB",
        ),
        (
            with("signature", json!("%")),
            "expected a signature in base64",
        ),
        (
            json!([{"payload": "e30="}]).to_string(),
            "expected a payload with its signature, or a bundle",
        ),
        (
            json!(many).to_string(),
            "expected at most 64 signatures, found 65",
        ),
        (" ".repeat(300_000), "parsing signatures: "),
    ] {
        let source = Source::Given {
            by: Carrier::Arguments,
            arrays: vec![text],
        };
        let refusal = refused(bind(&world, &quorum, &[source]));
        assert!(refusal.contains(reason), "{reason}: {refusal}");
    }
}

#[test]
fn a_payload_that_is_signed_and_no_signature_is_refused() {
    let (world, (signers, quorum)) = (World::new(), two());
    let (payload, _) = signers[0].payload(image(), REPOSITORY);
    let payload = String::from_utf8(payload).unwrap();
    for (from, to, reason) in [
        (
            "cosign container",
            "other container",
            "expected a payload of type",
        ),
        (
            "\"docker-reference\"",
            "\"x\":1,\"docker-reference\"",
            "unknown field `x`",
        ),
        (
            "\"critical\"",
            "\"Critical\":{},\"critical\"",
            "parsing payload: ",
        ),
        ("sha256:", "sha512:", "parsing payload: "),
    ] {
        let changed = payload.replacen(from, to, 1);
        assert_ne!(changed, payload);
        let signature = signers[0].sign(changed.as_bytes());
        let array = json!([{"payload": tee::base64(changed.as_bytes()), "signature": tee::base64(&signature)}]);
        let refusal = refused(bind(&world, &quorum, &[by(Carrier::Arguments, &array)]));
        assert!(refusal.contains(reason), "{reason}: {refusal}");
    }
}

#[test]
fn only_a_metadata_server_is_believed() {
    let (world, (signers, quorum)) = (World::new(), two());
    let array = json!([signers[0].carried(image(), REPOSITORY)]).to_string();
    world.answer(ATTRIBUTE, (200, array.into_bytes()));
    let error = failed(bind(&world, &quorum, &[Source::Metadata]));
    assert!(
        error.ends_with("expected an answer of a metadata server, found another"),
        "{error}"
    );
    world.answer(ATTRIBUTE, flavored(200, &vec![b' '; 300_000]));
    assert!(
        bind(&world, &quorum, &[Source::Metadata])
            .unwrap_err()
            .is_too_large()
    );
}

#[test]
fn a_payload_of_another_type_is_no_statement() {
    let (world, (signers, quorum)) = (World::new(), two());
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1", "predicateType": SIGN, "predicate": {},
        "subject": [{"name": REPOSITORY, "digest": {"sha256": image().hex()}}],
    });
    for (kind, reason) in [
        (
            "text/plain",
            "not signed by acme, bank; not counted: argument: it is by none",
        ),
        ("application/vnd.in-toto+json", "not signed by bank"),
    ] {
        let array = json!([signers[0].envelope(kind, &statement.to_string())]);
        let refusal = refused(bind(&world, &quorum, &[by(Carrier::Arguments, &array)]));
        assert!(refusal.contains(reason), "{refusal}");
    }
}

#[test]
fn no_flipped_bit_is_signed() {
    let (world, (signers, quorum)) = (World::new(), two());
    let (tee, identity) = (world.tee(), world.identity());
    let quorum = quorum.at_least(1).unwrap();
    let array = json!([signers[0].carried(image(), REPOSITORY)]).to_string();
    let bound = |array: String| {
        let source = Source::Given {
            by: Carrier::Arguments,
            arrays: vec![array],
        };
        quorum.bind(&tee, &identity, &[source], &tee::Patience::NONE)
    };
    assert!(bound(array.clone()).is_ok());
    for place in 0..array.len() {
        for bit in [1, 2, 16, 32] {
            let mut changed = array.clone().into_bytes();
            changed[place] ^= bit;
            let Ok(changed) = String::from_utf8(changed) else {
                continue;
            };
            assert!(bound(changed.clone()).is_err(), "{changed}");
        }
        assert!(bound(array[..place].to_owned()).is_err());
    }
}
