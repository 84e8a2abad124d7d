//! Sigstore bundles: what a log entry is about, what is in a bundle, and how it is written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::{Digest, limits};
use keyless::{Artifact, Bundle, Reason, TrustRoot, verify_key};
use serde_json::{Value, json};
use signature::PrivateKey;

use crate::world::{
    self, ARTIFACT, Entry, TIME, World, checkpoint, checkpoint_of, hashed, judge, now, params, pem,
};
use crate::{ACCEPTED, Case};

pub const CASES: &[Case] = &[
    // 1
    ("entry_of_another_artifact_fail", || {
        changed(|world, bundle| {
            let other = world.log.sign(b"other").unwrap();
            let body = hashed(&Digest::of(b"other"), &other, &certificate(bundle));
            log(world, bundle, body);
        })
    }),
    ("entry_of_another_signature_fail", || {
        changed(|world, bundle| {
            let other = world.log.sign(b"other").unwrap();
            let body = hashed(&Digest::of(ARTIFACT), &other, &certificate(bundle));
            log(world, bundle, body);
        })
    }),
    ("entry_of_another_certificate_fail", || {
        changed(|world, bundle| {
            let other = pem("CERTIFICATE", &world.leaf(&params()).der);
            let body = hashed(&Digest::of(ARTIFACT), &signature(bundle), &other);
            log(world, bundle, body);
        })
    }),
    ("entry_of_another_key_fail", entry_of_another_key),
    ("entry_of_another_statement_fail", || {
        let world = World::new();
        let leaf = world.leaf(&params());
        let [mut bundle, other] = [ARTIFACT, b"other"]
            .map(|artifact| world.bundle_of(&leaf, &statement(&Digest::of(artifact))));
        *entry(&mut bundle) = other["verificationMaterial"]["tlogEntries"][0].clone();
        reason(judge(&world.root(), &bundle))
    }),
    // 2
    ("promise_by_another_key_fail", || {
        changed(|world, bundle| {
            let other = world.other_log.sign(b"other").unwrap();
            entry(bundle)["inclusionPromise"]["signedEntryTimestamp"] =
                STANDARD.encode(other).into();
        })
    }),
    ("time_without_promise_fail", || {
        changed(|_, bundle| drop(object(entry(bundle)).remove("inclusionPromise")))
    }),
    ("time_that_was_not_promised_fail", || {
        changed(|_, bundle| entry(bundle)["integratedTime"] = (TIME + 1).to_string().into())
    }),
    ("root_hash_that_was_not_signed_fail", || {
        changed(|_, bundle| {
            let other = STANDARD.encode(Digest::of(b"other").as_bytes());
            entry(bundle)["inclusionProof"]["rootHash"] = other.into();
        })
    }),
    ("proof_of_another_tree_fail", || {
        changed(|world, bundle| {
            let root = Digest::of(b"other");
            let proof = &mut entry(bundle)["inclusionProof"];
            proof["rootHash"] = STANDARD.encode(root.as_bytes()).into();
            proof["checkpoint"]["envelope"] = checkpoint(&world.log, &root).into();
        })
    }),
    ("entry_without_proof_fail", || {
        changed(|_, bundle| drop(object(entry(bundle)).remove("inclusionProof")))
    }),
    // 8
    ("entry_twice_fail", || {
        changed(|_, bundle| {
            let one = entry(bundle).clone();
            bundle["verificationMaterial"]["tlogEntries"] = vec![one; 2].into();
        })
    }),
    ("timestamp_twice_fail", || {
        changed(|_, bundle| timestamps(bundle, 2))
    }),
    // 10
    ("many_entries_fail", || {
        changed(|_, bundle| {
            let one = entry(bundle).clone();
            bundle["verificationMaterial"]["tlogEntries"] = vec![one; 33].into();
        })
    }),
    ("many_timestamps_fail", || {
        changed(|_, bundle| timestamps(bundle, 33))
    }),
    ("many_subjects_fail", || {
        let subject = json!({"digest": {"sha256": Digest::of(ARTIFACT).hex()}});
        stating(&vec![subject; limits::SUBJECTS + 1].into())
    }),
    ("many_digests_fail", || {
        let digest = Digest::of(ARTIFACT).hex();
        let digests = (0..33).map(|index| (format!("a{index}"), digest.clone().into()));
        stating(&json!([{ "digest": Value::Object(digests.collect()) }]))
    }),
    ("large_bundle_fail", || {
        text(|good| format!("{good}{}", " ".repeat(2 << 20)))
    }),
    // 16
    ("bundle_of_another_artifact_fail", || {
        let world = World::new();
        let payload = statement(&Digest::of(b"other"));
        reason(judge(
            &world.root(),
            &world.bundle_of(&world.leaf(&params()), &payload),
        ))
    }),
    ("digest_of_another_artifact_fail", || {
        changed(|_, bundle| {
            bundle["messageSignature"]["messageDigest"]["digest"] =
                STANDARD.encode(Digest::of(b"other").as_bytes()).into();
        })
    }),
    // 17
    ("payload_type_in_bundle_fail", || {
        enveloped(|envelope| envelope["payloadType"] = "text/plain".into())
    }),
    ("two_signatures_in_bundle_fail", || {
        enveloped(|envelope| {
            let one = envelope["signatures"][0].clone();
            envelope["signatures"] = vec![one; 2].into();
        })
    }),
    ("statement_and_file_in_bundle_fail", || {
        changed(|_, bundle| {
            let envelope = json!({"payload": "", "payloadType": "", "signatures": []});
            bundle["dsseEnvelope"] = envelope;
        })
    }),
    // 18
    ("name_twice_in_bundle_fail", || {
        let name = r#""messageSignature":"#;
        text(|good| good.replacen(name, &format!("{name}null,{name}"), 1))
    }),
    ("name_in_another_case_in_bundle_fail", || {
        changed(|_, bundle| bundle["MessageSignature"] = json!({}))
    }),
    ("array_for_object_in_bundle_fail", || {
        changed(|_, bundle| {
            bundle["messageSignature"] = json!([null, bundle["messageSignature"]["signature"]]);
        })
    }),
    ("trailing_bytes_fail", || text(|good| format!("{good}{{}}"))),
    ("deep_bundle_fail", || {
        let deep = format!(r#"{{"x":{}{},"#, "[".repeat(65), "]".repeat(65));
        text(|good| good.replacen('{', &deep, 1))
    }),
    // 23
    ("checkpoint_of_another_log_fail", || {
        changed(|world, bundle| {
            let root = root_of(bundle);
            entry(bundle)["inclusionProof"]["checkpoint"]["envelope"] =
                checkpoint(&world.other_log, &root).into();
        })
    }),
    ("checkpoint_with_the_origin_of_another_log_fail", || {
        changed(|world, bundle| {
            let root = root_of(bundle);
            entry(bundle)["inclusionProof"]["checkpoint"]["envelope"] =
                checkpoint_of("other.example", &world.log, &root).into();
        })
    }),
    ("log_that_is_not_trusted_fail", || {
        changed(|_, bundle| {
            let unknown = PrivateKey::generate().unwrap();
            let body = STANDARD.decode(entry(bundle)["canonicalizedBody"].as_str().unwrap());
            let body = serde_json::from_slice(&body.unwrap()).unwrap();
            let (log, time) = (&unknown, TIME);
            *entry(bundle) = Entry { log, time, body }.logged();
        })
    }),
    ("period_without_start_fail", || {
        rooted(|root| {
            root["tlogs"][0]["publicKey"]["validFor"] = json!({"end": "2027-01-01T00:00:00Z"})
        })
    }),
    ("key_that_is_not_one_fail", || {
        rooted(|root| root["tlogs"][0]["publicKey"]["rawBytes"] = "AAAA".into())
    }),
    ("root_without_authority_fail", || {
        rooted(|root| {
            let kind = root["mediaType"].clone();
            *root = json!({ "mediaType": kind });
        })
    }),
    ("name_twice_in_root_fail", || {
        let world = World::new();
        let root = world
            .root()
            .to_string()
            .replacen(r#""tlogs":"#, r#""tlogs":[],"tlogs":"#, 1);
        crate::said(TrustRoot::parse(root.as_bytes()).map_err(|refusal| refusal.reason))
    }),
    // 29
    ("payload_in_another_spelling_fail", || {
        enveloped(|envelope| {
            let payload = STANDARD
                .decode(envelope["payload"].as_str().unwrap())
                .unwrap();
            let payload = String::from_utf8(payload).unwrap().replacen(':', ": ", 1);
            envelope["payload"] = STANDARD.encode(payload).into();
        })
    }),
    // The controls.
    ("bundle_as_it_should_be", || changed(|_, _| {})),
    ("statement_as_it_should_be", || enveloped(|_| {})),
];

pub fn reason<T>(judged: Result<T, Reason>) -> String {
    crate::said(judged)
}

fn changed(change: impl FnOnce(&World, &mut Value)) -> String {
    let world = World::new();
    let mut bundle = world.bundle();
    change(&world, &mut bundle);
    reason(judge(&world.root(), &bundle))
}

fn text(change: impl FnOnce(&str) -> String) -> String {
    let world = World::new();
    let changed = change(&world.bundle().to_string());
    reason(world::judge_as(
        &world.root(),
        &changed,
        &world::trusted(),
        now(),
    ))
}

fn rooted(change: impl FnOnce(&mut Value)) -> String {
    let world = World::new();
    let mut root = world.root();
    change(&mut root);
    reason(judge(&root, &world.bundle()))
}

fn statement(digest: &Digest) -> Vec<u8> {
    let kind = attest::predicate::COSIGN_SIGN;
    crate::case::statement(crate::case::REPOSITORY, digest, kind, json!({}))
}

fn enveloped(change: impl FnOnce(&mut Value)) -> String {
    let world = World::new();
    let leaf = world.leaf(&params());
    let mut bundle = world.bundle_of(&leaf, &statement(&Digest::of(ARTIFACT)));
    change(&mut bundle["dsseEnvelope"]);
    reason(judge(&world.root(), &bundle))
}

/// A bundle of a statement with these subjects.
fn stating(subjects: &Value) -> String {
    let world = World::new();
    let mut payload: Value = serde_json::from_slice(&statement(&Digest::of(ARTIFACT))).unwrap();
    payload["subject"] = subjects.clone();
    let leaf = world.leaf(&params());
    let bundle = world.bundle_of(&leaf, payload.to_string().as_bytes());
    reason(judge(&world.root(), &bundle))
}

fn entry_of_another_key() -> String {
    let world = World::new();
    let [key, other] = [(); 2].map(|()| PrivateKey::generate().unwrap());
    let mut bundle = world.bundle_by_key(&key);
    let body = hashed(
        &Digest::of(ARTIFACT),
        &signature(&bundle),
        &other.public().to_pem(),
    );
    log(&world, &mut bundle, body);
    let root = TrustRoot::parse(world.root().to_string().as_bytes()).unwrap();
    let bundle = Bundle::parse(bundle.to_string().as_bytes()).unwrap();
    let artifact = Artifact::Bytes(ARTIFACT);
    let verified = verify_key(&bundle, &artifact, key.public(), Some(&root), now());
    match verified {
        Ok(_) => ACCEPTED.to_owned(),
        Err(refusal) => refusal.reason.to_string(),
    }
}

fn object(value: &mut Value) -> &mut serde_json::Map<String, Value> {
    value.as_object_mut().unwrap()
}

fn entry(bundle: &mut Value) -> &mut Value {
    &mut bundle["verificationMaterial"]["tlogEntries"][0]
}

/// The root hash of a log with the entry alone.
fn root_of(bundle: &mut Value) -> Digest {
    let body = STANDARD.decode(entry(bundle)["canonicalizedBody"].as_str().unwrap());
    Digest::of(&[&[0], &body.unwrap()[..]].concat())
}

/// Replaces the log entry by one with another body, which the log has indeed taken.
fn log(world: &World, bundle: &mut Value, body: Value) {
    let (log, time) = (&world.log, TIME);
    *entry(bundle) = Entry { log, time, body }.logged();
}

fn timestamps(bundle: &mut Value, count: usize) {
    let one = json!({"signedTimestamp": "AAAA"});
    bundle["verificationMaterial"]["timestampVerificationData"] =
        json!({"rfc3161Timestamps": vec![one; count]});
}

fn signature(bundle: &Value) -> Vec<u8> {
    let text = bundle["messageSignature"]["signature"].as_str().unwrap();
    STANDARD.decode(text).unwrap()
}

fn certificate(bundle: &Value) -> String {
    let text = &bundle["verificationMaterial"]["certificate"]["rawBytes"];
    pem(
        "CERTIFICATE",
        &STANDARD.decode(text.as_str().unwrap()).unwrap(),
    )
}
