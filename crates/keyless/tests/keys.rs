//! Signatures with keys, and statements that name the artifact.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[allow(dead_code, reason = "other tests use certificates as well")]
mod world;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::Digest;
use keyless::{Artifact, Bundle, Reason, TrustRoot, verify_key};
use serde_json::{Value, json};
use signature::{KeyType, PrivateKey};
use world::{ARTIFACT, World, now};

fn entry(bundle: &mut Value) -> &mut Value {
    &mut bundle["verificationMaterial"]["tlogEntries"][0]
}

fn encoded(bytes: &[u8]) -> Value {
    STANDARD.encode(bytes).into()
}

#[test]
fn a_key_needs_no_log_and_its_entries_are_checked() {
    let world = World::new();
    let [key, unknown] = [(); 2].map(|()| PrivateKey::generate().unwrap());
    let root = TrustRoot::parse(world.root().to_string().as_bytes()).unwrap();
    let judge = |bundle: &Value, by: &PrivateKey, root: Option<&TrustRoot>| {
        let bundle = Bundle::parse(bundle.to_string().as_bytes()).unwrap();
        let digest = Artifact::from(&Digest::of(ARTIFACT));
        let judged = [Artifact::Bytes(ARTIFACT), digest].map(|artifact| {
            let verified = verify_key(&bundle, &artifact, by.public(), root, now());
            verified.map(drop).map_err(|refusal| refusal.reason)
        });
        assert_eq!(judged[0], judged[1]);
        judged[0]
    };
    let logged = world.bundle_by_key(&key);
    assert_eq!(judge(&logged, &key, Some(&root)), Ok(()));
    assert_eq!(judge(&logged, &key, None), Err(Reason::Root));
    assert_eq!(
        judge(&logged, &unknown, Some(&root)),
        Err(Reason::Signature)
    );
    let mut forged = logged.clone();
    entry(&mut forged)["inclusionPromise"]["signedEntryTimestamp"] =
        encoded(&unknown.sign(b"").unwrap());
    assert_eq!(judge(&forged, &key, Some(&root)), Err(Reason::LogPromise));
    let mut bare = logged;
    bare["verificationMaterial"]["tlogEntries"] = json!([]);
    assert_eq!(judge(&bare, &key, None), Ok(()));
    assert_eq!(judge(&bare, &unknown, None), Err(Reason::Signature));
    bare["messageSignature"]["messageDigest"]["digest"] = encoded(Digest::of(b"x").as_bytes());
    assert_eq!(judge(&bare, &key, None), Err(Reason::Artifact));
    assert_eq!(
        judge(&world.bundle(), &key, Some(&root)),
        Err(Reason::SignerKind)
    );
    let by_key = world.bundle_by_key(&key);
    assert_eq!(
        world::judge(&world.root(), &by_key).map(drop),
        Err(Reason::SignerKind)
    );
}

fn statement(subjects: &Value) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": "https://example.com/p",
        "predicate": {},
    })
}

#[test]
fn a_statement_names_the_artifact() {
    let key = PrivateKey::generate().unwrap();
    let judge = |payload: &str, payload_type: &str, by: &PrivateKey| {
        let signature = by
            .sign(&signature::envelope::pae(payload_type, payload.as_bytes()))
            .unwrap();
        let bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.3",
            "verificationMaterial": { "publicKey": {} },
            "dsseEnvelope": {
                "payload": STANDARD.encode(payload),
                "payloadType": payload_type,
                "signatures": [{ "sig": STANDARD.encode(signature), "keyid": "" }],
            },
        });
        let bundle = Bundle::parse(bundle.to_string().as_bytes());
        let artifact = Artifact::Bytes(ARTIFACT);
        let verified = bundle.and_then(|b| verify_key(&b, &artifact, key.public(), None, now()));
        verified.map_err(|refusal| refusal.reason)
    };
    const IN_TOTO: &str = "application/vnd.in-toto+json";
    let digest = Digest::of(ARTIFACT).hex();
    let ours = json!({ "digest": { "sha256": digest } });
    let other =
        json!({ "name": "x", "digest": { "sha256": Digest::of(b"x").hex(), "sha1": "00" } });
    let good = statement(&json!([other, ours])).to_string();
    let verified = judge(&good, IN_TOTO, &key).unwrap();
    assert_eq!(verified.statement(), Some(good.as_bytes()));
    let unknown = PrivateKey::generate().unwrap();
    assert_eq!(judge(&good, IN_TOTO, &unknown), Err(Reason::Signature));
    for (payload, reason) in [
        (statement(&json!([other])).to_string(), Reason::Artifact),
        (
            statement(&json!([{ "digest": { "sha512": digest } }])).to_string(),
            Reason::Artifact,
        ),
        (
            statement(&json!([{ "digest": { "sha256": digest.to_uppercase() } }])).to_string(),
            Reason::Artifact,
        ),
        (statement(&json!([])).to_string(), Reason::Statement),
        (statement(&json!(null)).to_string(), Reason::Statement),
        (statement(&json!([null])).to_string(), Reason::Statement),
        (
            statement(&json!(vec![ours.clone(); 1025])).to_string(),
            Reason::Count,
        ),
        (
            good.replace("Statement/v1", "Statement/v2"),
            Reason::Statement,
        ),
        (
            good.replacen(r#""subject""#, r#""subject":[],"subject""#, 1),
            Reason::Statement,
        ),
        (
            good.replacen(r#""subject""#, r#""Subject":[],"subject""#, 1),
            Reason::Statement,
        ),
        (String::new(), Reason::Statement),
    ] {
        assert_eq!(
            judge(&payload, IN_TOTO, &key),
            Err(reason),
            "{payload:.200}"
        );
    }
    assert_eq!(
        judge(&good, "application/json", &key),
        Err(Reason::PayloadType)
    );
}

/// A statement is compared by SHA-256 and SHA-512.
#[test]
fn a_digest_that_is_not_compared_is_not_another_artifact() {
    let key = PrivateKey::generate().unwrap();
    let subject = json!([{ "digest": { "sha384": "00".repeat(48) } }]);
    let payload = statement(&subject).to_string().into_bytes();
    let kind = signature::envelope::IN_TOTO;
    let signed = key.sign(&signature::envelope::pae(kind, &payload)).unwrap();
    let envelope = signature::envelope::Envelope::new(kind, payload, "", signed);
    let bundle = signature::bundle::Bundle::new(envelope);
    let bundle = Bundle::parse(&bundle.to_bytes(key.public()).unwrap()).unwrap();
    for (name, length, reason) in [
        ("sha256", 32, Reason::Artifact),
        ("sha384", 48, Reason::ArtifactForm),
        ("sha512", 64, Reason::Artifact),
    ] {
        let digest = Artifact::from_digest(&format!("{name}:{}", "00".repeat(length)));
        let verified = verify_key(&bundle, &digest.unwrap(), key.public(), None, now());
        assert_eq!(verified.unwrap_err().reason, reason, "{name}");
    }
}

/// With evidence `sigstore-verify` verifies, which knows one algorithm for each type of key and digest.
#[test]
fn an_algorithm_is_the_keys_with_and_without_evidence() {
    let world = World::new();
    let root = TrustRoot::parse(world.root().to_string().as_bytes()).unwrap();
    let judge = |bundle: &Value, artifact: &Artifact<'_>, by: &PrivateKey| {
        let bundle = Bundle::parse(bundle.to_string().as_bytes()).unwrap();
        let verified = verify_key(&bundle, artifact, by.public(), Some(&root), now());
        verified.map(drop).map_err(|refusal| refusal.reason)
    };
    let (bytes, digest) = (
        Artifact::Bytes(ARTIFACT),
        Artifact::from(&Digest::of(ARTIFACT)),
    );
    let unsupported = Err(Reason::Unsupported);
    let form = Err(Reason::ArtifactForm);
    for (kind, algorithm, logged, bare) in [
        (KeyType::P256, "ecdsa-der-sha256", Ok(()), Ok(())),
        (KeyType::P256, "ecdsa-p1363-sha256", unsupported, Ok(())),
        (KeyType::P384, "ecdsa-der-sha256", Ok(()), Ok(())),
        (KeyType::P384, "ecdsa-der-sha384", unsupported, form),
        (KeyType::P521, "ecdsa-der-sha256", unsupported, Ok(())),
        (KeyType::Ed25519, "ed25519ph", unsupported, form),
        (
            KeyType::Rsa { bits: 2048 },
            "rsa-pkcs1-sha256",
            Ok(()),
            Ok(()),
        ),
        (
            KeyType::Rsa { bits: 2048 },
            "rsa-pss-sha256",
            unsupported,
            Ok(()),
        ),
    ] {
        let key = PrivateKey::generate_of(kind).unwrap();
        let key = key.with_algorithm(algorithm.parse().unwrap()).unwrap();
        let mut bundle = world.bundle_by_key(&key);
        assert_eq!(judge(&bundle, &bytes, &key), logged, "{algorithm}");
        bundle["verificationMaterial"]["tlogEntries"] = json!([]);
        assert_eq!(judge(&bundle, &bytes, &key), Ok(()), "{algorithm}");
        assert_eq!(judge(&bundle, &digest, &key), bare, "{algorithm}");
    }
    // The library verifies RSA with PKCS #1 v1.5 only, with which this key does not sign.
    let rsa = PrivateKey::generate_of(KeyType::Rsa { bits: 2048 }).unwrap();
    let key = PrivateKey::from_pem(&testkit::pss(&rsa.to_pem().unwrap(), &[])).unwrap();
    let bundle = world.bundle_by_key(&key);
    assert_eq!(judge(&bundle, &bytes, &key), unsupported);
    let by_plain = world.bundle_by_key(&rsa);
    assert_eq!(judge(&by_plain, &bytes, &rsa), Ok(()));
    assert_eq!(judge(&by_plain, &bytes, &key), unsupported);
    // The key may sign with the library's algorithm, and did with another.
    let key = PrivateKey::generate_of(KeyType::P384).unwrap();
    let bundle = world.bundle_by_key(&key);
    assert_eq!(judge(&bundle, &bytes, &key), unsupported);
    // The key does not sign with the library's algorithm.
    let key = PrivateKey::generate().unwrap();
    let bundle = world.bundle_by_key(&key);
    let other = key.with_algorithm("ecdsa-p1363-sha256".parse().unwrap());
    assert_eq!(judge(&bundle, &bytes, &other.unwrap()), unsupported);
}
