//! What an attacker can do to a bundle, and the check that refuses it.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod certificates;
mod mutants;
#[allow(dead_code, reason = "other tests also use keys")]
#[path = "../world/mod.rs"]
mod world;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use content::Digest;
use keyless::{Pattern, Reason, Subject, Trusted};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, SanType};
use serde_json::{Value, json};
use signature::PrivateKey;
use world::{ARTIFACT, Entry, ISSUER, SUBJECT, TIME, World, judge, judge_as, now, params};

#[test]
fn accepts_what_is_as_it_should_be() {
    let world = World::new();
    let verified = judge(&world.root(), &world.bundle()).unwrap();
    let signer = verified.signer().unwrap();
    assert_eq!((&*signer.issuer, &*signer.subject), (ISSUER, SUBJECT));
    let time = DateTime::from_timestamp(TIME, 0).unwrap();
    assert_eq!(verified.times(), [time]);
    assert_eq!(verified.statement(), None);
}

type Change = fn(&World, &mut Value);

fn entry(bundle: &mut Value) -> &mut Value {
    &mut bundle["verificationMaterial"]["tlogEntries"][0]
}

fn add_entry_without(bundle: &mut Value, member: &str) {
    let mut other = entry(bundle).clone();
    other["logIndex"] = "1".into();
    other.as_object_mut().unwrap().remove(member);
    let entries = &mut bundle["verificationMaterial"]["tlogEntries"];
    entries.as_array_mut().unwrap().push(other);
}

fn encoded(bytes: &[u8]) -> Value {
    STANDARD.encode(bytes).into()
}

/// Changes of a good bundle.
const CHANGES: &[(&str, Change, Reason)] = &[
    (
        "another version",
        |_, b| b["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.4".into(),
        Reason::MediaType,
    ),
    (
        "a signer and another",
        |_, b| b["verificationMaterial"]["publicKey"] = json!({"hint": ""}),
        Reason::Structure,
    ),
    (
        "no signer",
        |_, b| {
            drop(
                b["verificationMaterial"]
                    .as_object_mut()
                    .unwrap()
                    .remove("certificate"),
            )
        },
        Reason::Structure,
    ),
    (
        "a content and another",
        |_, b| b["dsseEnvelope"] = json!({"payload": "", "payloadType": "", "signatures": []}),
        Reason::Structure,
    ),
    (
        "no content",
        |_, b| drop(b.as_object_mut().unwrap().remove("messageSignature")),
        Reason::Structure,
    ),
    (
        "a name in another case",
        |_, b| b["MessageSignature"] = json!({}),
        Reason::Json,
    ),
    (
        "an array for an object",
        |_, b| b["messageSignature"] = json!([null, b["messageSignature"]["signature"]]),
        Reason::Json,
    ),
    (
        "a negative index",
        |_, b| entry(b)["logIndex"] = "-1".into(),
        Reason::Json,
    ),
    (
        "an unknown kind of entry",
        |_, b| entry(b)["kindVersion"]["version"] = "0.0.9".into(),
        Reason::Json,
    ),
    (
        "many entries",
        |_, b| {
            let entry = entry(b).clone();
            b["verificationMaterial"]["tlogEntries"] = vec![entry; 33].into();
        },
        Reason::Count,
    ),
    (
        "many timestamps",
        |_, b| {
            b["verificationMaterial"]["timestampVerificationData"] =
                json!({"rfc3161Timestamps": vec![json!({"signedTimestamp": "AAAA"}); 33]});
        },
        Reason::Count,
    ),
    (
        "an entry twice",
        |_, b| {
            let entry = entry(b).clone();
            b["verificationMaterial"]["tlogEntries"] = vec![entry; 2].into();
        },
        Reason::Duplicate,
    ),
    (
        "a timestamp twice",
        |_, b| {
            b["verificationMaterial"]["timestampVerificationData"] =
                json!({"rfc3161Timestamps": vec![json!({"signedTimestamp": "AAAA"}); 2]});
        },
        Reason::Duplicate,
    ),
    (
        "no timestamp",
        |_, b| {
            b["verificationMaterial"]["timestampVerificationData"] =
                json!({"rfc3161Timestamps": [{"signedTimestamp": "AAAA"}]});
        },
        Reason::Timestamp,
    ),
    (
        "no entry",
        |_, b| b["verificationMaterial"]["tlogEntries"] = json!([]),
        Reason::LogMissing,
    ),
    (
        "an entry without a proof",
        |_, b| drop(entry(b).as_object_mut().unwrap().remove("inclusionProof")),
        Reason::LogMissing,
    ),
    (
        "an entry of version 0.1 without a promise",
        |_, b| {
            b["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1".into();
            entry(b).as_object_mut().unwrap().remove("inclusionPromise");
        },
        Reason::LogMissing,
    ),
    (
        "a second entry of version 0.1 without a promise",
        |_, b| {
            b["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1".into();
            add_entry_without(b, "inclusionPromise");
        },
        Reason::LogMissing,
    ),
    (
        "a second entry without a proof",
        |_, b| add_entry_without(b, "inclusionProof"),
        Reason::LogMissing,
    ),
    (
        "an entry without a time",
        |_, b| drop(entry(b).as_object_mut().unwrap().remove("inclusionPromise")),
        Reason::TimestampMissing,
    ),
    (
        "a time that was not promised",
        |_, b| entry(b)["integratedTime"] = (TIME + 1).to_string().into(),
        Reason::LogPromise,
    ),
    (
        "an index that was not promised",
        |_, b| entry(b)["logIndex"] = "1".into(),
        Reason::LogPromise,
    ),
    (
        "another promise",
        |w, b| {
            entry(b)["inclusionPromise"]["signedEntryTimestamp"] =
                encoded(&w.log.sign(b"other").unwrap())
        },
        Reason::LogPromise,
    ),
    (
        "another root hash",
        |_, b| entry(b)["inclusionProof"]["rootHash"] = encoded(Digest::of(b"other").as_bytes()),
        Reason::LogCheckpoint,
    ),
    (
        "a checkpoint of another tree",
        |w, b| {
            let root = Digest::of(b"other");
            entry(b)["inclusionProof"]["rootHash"] = encoded(root.as_bytes());
            entry(b)["inclusionProof"]["checkpoint"]["envelope"] =
                world::checkpoint(&w.log, &root).into();
        },
        Reason::LogProof,
    ),
    (
        "a checkpoint by another log",
        |w, b| {
            let body = STANDARD
                .decode(entry(b)["canonicalizedBody"].as_str().unwrap())
                .unwrap();
            let root = Digest::of(&[&[0], &body[..]].concat());
            entry(b)["inclusionProof"]["checkpoint"]["envelope"] =
                world::checkpoint(&w.other_log, &root).into();
        },
        Reason::LogCheckpoint,
    ),
    (
        "a checkpoint by nobody",
        |_, b| {
            let body = STANDARD
                .decode(entry(b)["canonicalizedBody"].as_str().unwrap())
                .unwrap();
            let root = Digest::of(&[&[0], &body[..]].concat());
            let unknown = PrivateKey::generate().unwrap();
            entry(b)["inclusionProof"]["checkpoint"]["envelope"] =
                world::checkpoint(&unknown, &root).into();
        },
        Reason::LogCheckpoint,
    ),
    (
        "no checkpoint",
        |_, b| entry(b)["inclusionProof"]["checkpoint"]["envelope"] = "".into(),
        Reason::LogCheckpoint,
    ),
    (
        "an entry in no trusted log",
        |_, b| {
            let (unknown, time) = (PrivateKey::generate().unwrap(), TIME);
            let body = entry(b)["canonicalizedBody"].as_str().unwrap().to_owned();
            let body = serde_json::from_slice(&STANDARD.decode(body).unwrap()).unwrap();
            *entry(b) = Entry {
                log: &unknown,
                time,
                body,
            }
            .logged();
        },
        Reason::LogUnknown,
    ),
    (
        "an entry of another artifact",
        |w, b| {
            let body = world::hashed(&Digest::of(b"other"), &w.log.sign(b"other").unwrap(), "");
            *entry(b) = Entry {
                log: &w.log,
                time: TIME,
                body,
            }
            .logged();
        },
        Reason::Artifact,
    ),
    (
        "an entry of another signature",
        |w, b| {
            let certificate = b["verificationMaterial"]["certificate"]["rawBytes"]
                .as_str()
                .unwrap();
            let certificate = world::pem("CERTIFICATE", &STANDARD.decode(certificate).unwrap());
            let body = world::hashed(
                &Digest::of(ARTIFACT),
                &w.log.sign(b"other").unwrap(),
                &certificate,
            );
            *entry(b) = Entry {
                log: &w.log,
                time: TIME,
                body,
            }
            .logged();
        },
        Reason::LogEntry,
    ),
    (
        "an entry of another certificate",
        |w, b| {
            let signature = STANDARD
                .decode(b["messageSignature"]["signature"].as_str().unwrap())
                .unwrap();
            let certificate = world::pem("CERTIFICATE", &w.leaf(&params()).der);
            let body = world::hashed(&Digest::of(ARTIFACT), &signature, &certificate);
            *entry(b) = Entry {
                log: &w.log,
                time: TIME,
                body,
            }
            .logged();
        },
        Reason::LogEntry,
    ),
    (
        "another certificate",
        |w, b| {
            b["verificationMaterial"]["certificate"]["rawBytes"] = encoded(&w.leaf(&params()).der);
        },
        Reason::Signature,
    ),
    (
        "no certificate",
        |_, b| b["verificationMaterial"]["certificate"]["rawBytes"] = "AAAA".into(),
        Reason::Certificate,
    ),
    (
        "another signature",
        |w, b| b["messageSignature"]["signature"] = encoded(&w.log.sign(ARTIFACT).unwrap()),
        Reason::Signature,
    ),
    (
        "a digest that entries are not compared by",
        |_, b| {
            b["messageSignature"]["messageDigest"] =
                json!({"algorithm": "SHA2_384", "digest": encoded(&[0; 48])})
        },
        Reason::Unsupported,
    ),
    (
        "another digest",
        |_, b| {
            b["messageSignature"]["messageDigest"]["digest"] =
                encoded(Digest::of(b"other").as_bytes())
        },
        Reason::Artifact,
    ),
];

#[test]
fn refuses_a_changed_bundle() {
    let world = World::new();
    let root = world.root();
    let mut wrong = Vec::new();
    for (name, change, reason) in CHANGES {
        let mut bundle = world.bundle();
        change(&world, &mut bundle);
        let judged = judge(&root, &bundle).map(drop);
        if judged != Err(*reason) {
            wrong.push(format!("{name}: {judged:?}, not {reason:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_root_says_when_what_is_trusted() {
    let world = World::new();
    let bundle = world.bundle();
    type RootChange = fn(&mut Value);
    let cases: [(&str, RootChange, Reason); 5] = [
        (
            "/certificateAuthorities/0/validFor",
            |v| *v = json!({"start": "2025-01-01T00:00:00Z", "end": "2025-12-31T00:00:00Z"}),
            Reason::CertificateChain,
        ),
        (
            "/tlogs/0/publicKey/validFor",
            |v| *v = json!({"start": "2025-01-01T00:00:00Z", "end": "2025-12-31T00:00:00Z"}),
            Reason::LogPromise,
        ),
        (
            "/tlogs/0/publicKey/validFor",
            |v| *v = json!({"end": "2027-01-01T00:00:00Z"}),
            Reason::Root,
        ),
        (
            "/tlogs/0/publicKey/validFor",
            |v| *v = json!({"start": "2030-01-01T00:00:00Z"}),
            Reason::LogPromise,
        ),
        (
            "/tlogs/0/publicKey/rawBytes",
            |v| *v = "AAAA".into(),
            Reason::Root,
        ),
    ];
    for (place, change, reason) in cases {
        let mut root = world.root();
        change(root.pointer_mut(place).unwrap());
        assert_eq!(judge(&root, &bundle).map(drop), Err(reason), "{place}");
    }
    let trusted = Trusted {
        issuer: Some(ISSUER.to_owned()),
        subject: Subject::Exact(SUBJECT.to_owned()),
    };
    let before = DateTime::from_timestamp(TIME - 1, 0).unwrap();
    let judged = judge_as(&world.root(), &bundle.to_string(), &trusted, before);
    assert_eq!(judged.map(drop), Err(Reason::TimestampTime));
}
