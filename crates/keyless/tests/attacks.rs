//! What an attacker can do to a bundle, and the check that refuses it.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[allow(dead_code, reason = "other tests use keys as well")]
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
        "a second entry without a proof",
        |_, b| {
            let mut other = entry(b).clone();
            other["logIndex"] = "1".into();
            other.as_object_mut().unwrap().remove("inclusionProof");
            b["verificationMaterial"]["tlogEntries"]
                .as_array_mut()
                .unwrap()
                .push(other);
        },
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

type CertificateChange = fn(&mut CertificateParams);

/// Changes of a certificate that the authority signs all the same.
const CERTIFICATES: &[(&str, CertificateChange, Reason)] = &[
    (
        "another subject",
        |p| p.subject_alt_names = vec![uri("https://forge.example/a/b@refs/heads/maintenance")],
        Reason::Identity,
    ),
    (
        "two subjects",
        |p| p.subject_alt_names.push(uri("https://other.example")),
        Reason::Certificate,
    ),
    (
        "no subject",
        |p| p.subject_alt_names.clear(),
        Reason::Certificate,
    ),
    (
        "a subject of another kind",
        |p| p.subject_alt_names = vec![SanType::DnsName(SUBJECT.try_into().unwrap())],
        Reason::Certificate,
    ),
    ("no issuer", |p| p.custom_extensions.clear(), Reason::Issuer),
    (
        "another use",
        |p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth],
        Reason::CertificateChain,
    ),
    (
        "no use",
        |p| p.extended_key_usages.clear(),
        Reason::CertificateChain,
    ),
    (
        "an authority",
        |p| p.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained),
        Reason::CertificateChain,
    ),
    (
        "expired",
        |p| p.not_after = rcgen::date_time_ymd(2026, 1, 1),
        Reason::CertificateChain,
    ),
    (
        "not yet valid",
        |p| p.not_before = rcgen::date_time_ymd(2026, 1, 2),
        Reason::CertificateChain,
    ),
];

fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

#[test]
fn refuses_another_certificate() {
    let world = World::new();
    let mut wrong = Vec::new();
    for (name, change, reason) in CERTIFICATES {
        let mut params = params();
        change(&mut params);
        let judged = judge(&world.root(), &world.bundle_by(&world.leaf(&params))).map(drop);
        if judged != Err(*reason) {
            wrong.push(format!("{name}: {judged:?}, not {reason:?}"));
        }
    }
    let unknown = World::new().leaf(&params());
    let judged = judge(&world.root(), &world.bundle_by(&unknown)).map(drop);
    assert_eq!(judged, Err(Reason::CertificateChain));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A user name has a domain, and lies in a name of its own kind.
#[test]
fn a_subject_may_be_a_user_name_or_an_address() {
    let world = World::new();
    let names = [
        SanType::OtherName((
            vec![1, 3, 6, 1, 4, 1, 57264, 1, 7],
            rcgen::OtherNameValue::Utf8String("a!issuer.example".to_owned()),
        )),
        SanType::Rfc822Name("a@issuer.example".try_into().unwrap()),
    ];
    for (name, subject) in names
        .into_iter()
        .zip(["a!issuer.example", "a@issuer.example"])
    {
        let mut params = params();
        params.subject_alt_names = vec![name];
        let bundle = world.bundle_by(&world.leaf(&params)).to_string();
        let judge = |subject| {
            let issuer = Some(ISSUER.to_owned());
            judge_as(&world.root(), &bundle, &Trusted { issuer, subject }, now()).map(drop)
        };
        assert_eq!(judge(Subject::Exact(subject.to_owned())), Ok(()));
        let pattern = |text| Subject::Pattern(Pattern::new(text).unwrap());
        assert_eq!(judge(pattern(r"^a[!@]issuer\.example$")), Ok(()));
        assert_eq!(judge(pattern("^issuer$")), Err(Reason::Identity));
    }
}

#[test]
fn an_issuer_is_compared_exactly() {
    let world = World::new();
    let bundle = world.bundle().to_string();
    for issuer in [
        "",
        "https://issuer.example/",
        "https://Issuer.example",
        "https://issuer",
    ] {
        let trusted = Trusted {
            issuer: Some(issuer.to_owned()),
            subject: Subject::Exact(SUBJECT.to_owned()),
        };
        let judged = judge_as(&world.root(), &bundle, &trusted, now()).map(drop);
        assert_eq!(judged, Err(Reason::Issuer), "{issuer}");
    }
}

/// No issuer is not any issuer.
#[test]
fn a_certificate_may_have_to_name_no_issuer() {
    let world = World::new();
    let judge = |bundle: Value| {
        let trusted = Trusted {
            issuer: None,
            subject: Subject::Exact(SUBJECT.to_owned()),
        };
        judge_as(&world.root(), &bundle.to_string(), &trusted, now()).map(drop)
    };
    assert_eq!(judge(world.bundle()), Err(Reason::Issuer));
    let mut params = params();
    params.custom_extensions.clear();
    assert_eq!(judge(world.bundle_by(&world.leaf(&params))), Ok(()));
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

#[test]
fn refuses_ambiguous_and_large_json() {
    let world = World::new();
    let good = world.bundle().to_string();
    let trusted = Trusted {
        issuer: Some(ISSUER.to_owned()),
        subject: Subject::Exact(SUBJECT.to_owned()),
    };
    let judge = |text: &str| judge_as(&world.root(), text, &trusted, now()).map(drop);
    assert_eq!(judge(&good), Ok(()));
    let twice = good.replacen(
        r#""messageSignature":"#,
        r#""messageSignature":{"signature":""},"messageSignature":"#,
        1,
    );
    let trailing = format!("{good}{{}}");
    let deep = good.replacen(
        '{',
        &format!(r#"{{"x":{}{},"#, "[".repeat(65), "]".repeat(65)),
        1,
    );
    for text in [&twice, &trailing, &deep, "", "null", "[]"] {
        assert_eq!(judge(text), Err(Reason::Json), "{text:.40}");
    }
    let large = format!(
        "{good}{}",
        " ".repeat(usize::try_from(keyless::LIMIT).unwrap())
    );
    assert_eq!(judge(&large), Err(Reason::Size));
}

/// Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound.max(1) as u64).unwrap()
    }
}

/// The places of all values in a document.
fn places(value: &Value, place: &str, found: &mut Vec<String>) {
    found.push(place.to_owned());
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                places(value, &format!("{place}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                places(value, &format!("{place}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// One change: a value is replaced, or a character of a text.
fn mutate(bundle: &mut Value, random: &mut Random) {
    let mut all = Vec::new();
    places(bundle, "", &mut all);
    let other = bundle
        .pointer(&all[random.below(all.len())])
        .cloned()
        .unwrap();
    let value = bundle.pointer_mut(&all[random.below(all.len())]).unwrap();
    match (random.below(6), &mut *value) {
        (0, value) => *value = Value::Null,
        (1, value) => *value = other,
        (2, value) => *value = json!([value.clone()]),
        (3, Value::Array(items)) => items.extend(items.clone()),
        (_, Value::String(text)) if !text.is_empty() => {
            let at = random.below(text.len());
            let new = char::from(b"AZaz09+/=-_ \n\"{"[random.below(15)]);
            *text = text
                .char_indices()
                .map(|(i, old)| if i == at { new } else { old })
                .collect();
        }
        (_, value) => *value = json!({}),
    }
}

/// A mutant is refused, or says what the bundle said.
#[test]
fn no_mutant_means_something_else() {
    let world = World::new();
    let (root, good) = (world.root(), world.bundle());
    let expected = judge(&root, &good).unwrap();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut accepted = 0;
    for _ in 0..2000 {
        let mut mutant = good.clone();
        mutate(&mut mutant, &mut random);
        if let Ok(found) = judge(&root, &mutant) {
            assert_eq!(found, expected, "{mutant}");
            accepted += 1;
        }
    }
    // Few changes mean nothing: other base64, a member that may be absent.
    assert!(accepted < 400, "{accepted}");
}
