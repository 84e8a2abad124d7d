//! Access to a party's keys, secrets and objects.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use tee::{Access, Algorithm, Bound, Digest, Error, Federation, Quorum, Source, base64, crc32c};

use crate::http::Response;
use crate::world::{World, image};
use crate::{Signer, bind, failed, party, refused};

/// Changes a document.
type Change = fn(&mut Value);

const PROVIDER: &str = "projects/1/locations/global/workloadIdentityPools/pool/providers/provider";
const KEY: &str = "projects/bank/locations/global/keyRings/ring/cryptoKeys/data";
const VERSION: &str = "projects/bank/secrets/model/versions/3";
const OBJECT: &str = "gs://bank-data/a/b c#7";
const OBJECT_PATH: &str = "/gcs/storage/v1/b/bank-data/o/a%2Fb%20c?alt=media&generation=7";

fn bank() -> Federation {
    Federation {
        party: "bank".to_owned(),
        audience: "https://bank.example".to_owned(),
        provider: PROVIDER.parse().unwrap(),
    }
}

fn bound(world: &World) -> Bound {
    let signer = Signer::p256();
    world.state.lock().unwrap().signed = vec![signer.id()];
    let quorum = Quorum::all(vec![party("bank", &[&signer])]).unwrap();
    bind(world, &quorum, &[Source::Token]).unwrap()
}

fn grant(world: &World, token: &str, lifetime: u64) {
    let granted = json!({"access_token": token, "token_type": "Bearer", "expires_in": lifetime});
    world.answer_json("/sts/v1/token", &granted);
}

fn access(world: &World) -> Access<'_> {
    grant(world, "access-1", 3600);
    world.tee().exchange(&bound(world), &bank()).unwrap()
}

fn crc(bytes: &[u8]) -> Value {
    crc32c(bytes).to_string().into()
}

#[test]
fn the_token_of_another_image_is_not_exchanged() {
    let world = World::new();
    let bound = bound(&world);
    grant(&world, "access-1", 3600);
    world.state.lock().unwrap().image = |_| Digest::of(b"another");
    let refusal = refused(world.tee().exchange(&bound, &bank()));
    let expected = format!(
        "checking attestation token for https://bank.example: expected image {}",
        image()
    );
    assert!(refusal.starts_with(&expected), "{refusal}");
    assert_eq!(world.calls_to("/sts"), 0);
}

#[test]
fn a_provider_may_refuse() {
    let world = World::new();
    let bound = bound(&world);
    let body = json!({"error": "unauthorized_client", "error_description": "The given credential is rejected by the attribute condition."});
    world.answer("/sts/v1/token", (400, body.to_string().into_bytes()));
    assert_eq!(
        refused(world.tee().exchange(&bound, &bank())),
        "exchanging token of bank: unauthorized_client: The given credential is rejected by the attribute condition."
    );
}

#[test]
fn a_token_is_renewed_when_most_of_its_life_has_passed() {
    let world = World::new();
    let tee = world.tee();
    let mut access = access(&world);
    grant(&world, "access-2", 3600);
    for (seconds, token) in [
        (0, "access-1"),
        (2879, "access-1"),
        (2880, "access-2"),
        (5759, "access-2"),
    ] {
        world.state.lock().unwrap().passed = Duration::from_secs(seconds);
        access.fresh(&tee).unwrap();
        assert_eq!(access.token().text(), Some(token), "{seconds}");
    }
    world.answer("/sts/v1/token", (503, Vec::new()));
    world.state.lock().unwrap().passed = Duration::from_secs(5760);
    assert!(failed(access.fresh(&tee)).contains("503"));
    assert_eq!(
        access.token().text(),
        Some("access-2"),
        "the old token is kept"
    );
}

#[test]
fn decrypts_with_checksums_both_ways() {
    let world = World::new();
    let access = access(&world);
    let path = format!("/kms/v1/{KEY}:decrypt");
    let key = KEY.parse().unwrap();
    let decrypt = || access.decrypt("decrypting", &key, b"ciphertext", b"aad");
    world.answer_json(
        &path,
        &json!({"plaintext": base64(b"alice"), "plaintextCrc32c": crc(b"alice")}),
    );
    assert_eq!(decrypt().unwrap().bytes(), b"alice");
    let sent = json!({
        "additionalAuthenticatedData": base64(b"aad"), "additionalAuthenticatedDataCrc32c": crc(b"aad"),
        "ciphertext": base64(b"ciphertext"), "ciphertextCrc32c": crc(b"ciphertext"),
    });
    assert_eq!(world.calls_to(&format!("[access-1] {sent}")), 1);

    world.answer_json(
        &path,
        &json!({"plaintext": base64(b"alice"), "plaintextCrc32c": crc(b"bob")}),
    );
    assert_eq!(
        failed(decrypt()),
        "decrypting: the answer has no valid plaintextCrc32c"
    );
    let error = |code: u16, status: &str| {
        let body = json!({"error": {"code": code, "status": status, "message": "no"}});
        world.answer(&path, (code, body.to_string().into_bytes()));
    };
    error(400, "INVALID_ARGUMENT");
    assert!(matches!(decrypt(), Err(Error::NotDecrypted { .. })));
    for (code, status) in [(403, "PERMISSION_DENIED"), (400, "FAILED_PRECONDITION")] {
        error(code, status);
        assert_eq!(refused(decrypt()), format!("decrypting: {status}: no"));
    }
}

#[test]
fn a_secret_is_the_version_that_was_asked_for() {
    let world = World::new();
    let access = access(&world);
    let path = format!("/secrets/v1/{VERSION}:access");
    let version = VERSION.parse().unwrap();
    let answer = |name: &str, data: &[u8], crc: Value| {
        let payload = json!({"data": base64(data), "dataCrc32c": crc});
        world.answer_json(&path, &json!({"name": name, "payload": payload}));
        access.secret(&version)
    };
    for name in [VERSION, "projects/12/secrets/model/versions/3"] {
        let secret = answer(name, b"model", crc(b"model")).unwrap();
        assert_eq!(secret.bytes(), b"model");
    }
    for name in [
        "projects/bank/secrets/model/versions/4",
        "projects/12/secrets/other/versions/3",
        "projects/other/secrets/model/versions/3",
    ] {
        let error = failed(answer(name, b"model", crc(b"model")));
        assert_eq!(
            error,
            format!("reading {VERSION}: expected {VERSION}, found {name}")
        );
    }
    let latest = failed(answer(
        "projects/bank/secrets/model/versions/latest",
        b"model",
        crc(b"model"),
    ));
    assert_eq!(
        latest,
        format!("reading {VERSION}: the answer has no valid form")
    );
    for wrong in [crc(b"other"), Value::Null] {
        let error = failed(answer(VERSION, b"model", wrong));
        assert_eq!(
            error,
            format!("reading {VERSION}: the answer has no valid payload.dataCrc32c")
        );
    }
    let body = json!({"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no"}});
    world.answer(&path, (403, body.to_string().into_bytes()));
    assert_eq!(
        refused(access.secret(&version)),
        format!("reading {VERSION}: PERMISSION_DENIED: no")
    );
}

#[test]
fn an_object_is_the_generation_that_was_asked_for() {
    let world = World::new();
    let access = access(&world);
    let object = OBJECT.parse().unwrap();
    let answer = |generation: &str, hash: &str, body: &[u8]| {
        let response = Response {
            headers: vec![
                ("x-goog-generation", generation.to_owned()),
                ("x-goog-hash", hash.to_owned()),
            ],
            ..Response::from((200, body.to_vec()))
        };
        world.answer(OBJECT_PATH, response);
        access.object(&object, 100)
    };
    let hash = base64(&crc32c(b"data").to_be_bytes());
    let both = format!("md5=x,crc32c={hash}");
    assert_eq!(answer("7", &both, b"data").unwrap().bytes(), b"data");
    assert_eq!(world.calls_to(&format!("GET {OBJECT_PATH} [access-1]")), 1);
    let error = failed(answer("8", &both, b"data"));
    assert_eq!(
        error,
        format!("reading {OBJECT}: expected generation 7, found 8")
    );
    for (hash, body) in [
        (both.as_str(), &b"date"[..]),
        ("md5=x", b"data"),
        ("crc32c=AAAAAA==", b"data"),
    ] {
        let error = failed(answer("7", hash, body));
        assert_eq!(
            error,
            format!("reading {OBJECT}: the answer has no valid x-goog-hash")
        );
    }
    assert!(answer("7", &both, &[0; 101]).err().unwrap().is_too_large());
}

/// A key in Cloud KMS.
fn publish(world: &World, signer: &Signer, change: fn(&mut Value)) {
    let pem = signer.pem();
    let mut key = json!({
        "name": format!("{KEY}/cryptoKeyVersions/2"), "algorithm": "EC_SIGN_P256_SHA256", "pemCrc32c": crc(pem.as_bytes()), "pem": pem,
    });
    change(&mut key);
    world.answer_json(
        &format!("/kms/v1/{KEY}/cryptoKeyVersions/2/publicKey"),
        &key,
    );
}

/// Its signature over `message`.
fn answer(world: &World, signer: &Signer, message: &[u8], change: fn(&mut Value)) {
    let signature = signer.sign(message);
    let mut signed = json!({
        "name": format!("{KEY}/cryptoKeyVersions/2"), "signature": base64(&signature), "signatureCrc32c": crc(&signature), "verifiedDigestCrc32c": true,
    });
    change(&mut signed);
    world.answer_json(
        &format!("/kms/v1/{KEY}/cryptoKeyVersions/2:asymmetricSign"),
        &signed,
    );
}

#[test]
fn a_public_key_is_that_of_the_version() {
    let (world, signer) = (World::new(), Signer::p256());
    let access = access(&world);
    let version = format!("{KEY}/cryptoKeyVersions/2").parse().unwrap();
    publish(&world, &signer, |_| {});
    let key = access.signing_key(&version).unwrap();
    assert_eq!(
        (key.public(), key.algorithm()),
        (&signer.public(), Algorithm::EcdsaP256)
    );
    let changes: [(Change, &str); 4] = [
        (
            |key| key["name"] = json!(format!("{KEY}/cryptoKeyVersions/1")),
            "expected projects/",
        ),
        (|key| key["pemCrc32c"] = json!("0"), "no valid pemCrc32c"),
        (
            |key| key["algorithm"] = json!("EC_SIGN_SECP256K1_SHA256"),
            "no valid algorithm",
        ),
        (
            |key| (key["pem"], key["pemCrc32c"]) = (json!(""), crc(b"")),
            "no valid pem",
        ),
    ];
    for (change, reason) in changes {
        publish(&world, &signer, change);
        let error = failed(access.signing_key(&version));
        assert!(error.contains(reason), "{reason}: {error}");
    }
}

#[test]
fn a_signature_is_by_the_key_and_over_the_message() {
    let (world, signer) = (World::new(), Signer::p256());
    let access = access(&world);
    publish(&world, &signer, |_| {});
    let version = format!("{KEY}/cryptoKeyVersions/2").parse().unwrap();
    let key = access.signing_key(&version).unwrap();
    answer(&world, &signer, b"message", |_| {});
    let signature = access.sign(&key, b"message").unwrap();
    assert!(signer.public().verify(b"message", &signature).is_ok());
    let digest = Digest::of(b"message");
    let sent = json!({"digest": {"sha256": base64(digest.as_bytes())}, "digestCrc32c": crc(digest.as_bytes())});
    assert_eq!(world.calls_to(&sent.to_string()), 1);

    let changes: [(Change, &str); 4] = [
        (
            |signed| signed["name"] = json!(format!("{KEY}/cryptoKeyVersions/1")),
            "expected projects/",
        ),
        (
            |signed| signed["signatureCrc32c"] = json!("0"),
            "no valid signatureCrc32c",
        ),
        (
            |signed| signed["verifiedDigestCrc32c"] = json!(false),
            "no valid verifiedDigestCrc32c",
        ),
        (
            |signed| signed["signature"] = json!("%"),
            "no valid signature",
        ),
    ];
    for (change, reason) in changes {
        answer(&world, &signer, b"message", change);
        let error = failed(access.sign(&key, b"message"));
        assert!(error.contains(reason), "{reason}: {error}");
    }
    answer(&world, &signer, b"another message", |_| {});
    let error = failed(access.sign(&key, b"message"));
    assert!(error.ends_with("no valid signature by this key"), "{error}");
}

/// A token that `access` makes with a key of an algorithm: what is signed, and the signature.
fn token(signer: &Signer, change: Change, algorithm: &str) -> (String, Vec<u8>) {
    let world = World::new();
    let access = access(&world);
    publish(&world, signer, change);
    let version = format!("{KEY}/cryptoKeyVersions/2").parse().unwrap();
    let key = access.signing_key(&version).unwrap();
    let claims: Map<String, Value> = serde_json::from_value(json!({"sub": "x", "exp": 2})).unwrap();
    let kid = signer.id();
    let header = format!(r#"{{"alg":"{algorithm}","kid":"{kid}","typ":"JWT"}}"#);
    let parts = [header.as_str(), r#"{"exp":2,"sub":"x"}"#];
    let input = parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    answer(&world, signer, input.as_bytes(), |_| {});
    let token = access.jwt(&key, &claims).unwrap();
    let (found, signature) = token.rsplit_once('.').unwrap();
    assert_eq!(found, input);
    (input, URL_SAFE_NO_PAD.decode(signature).unwrap())
}

#[test]
fn a_token_of_ones_own_is_verified_by_its_public_key() {
    let signer = Signer::p256();
    let (input, signature) = token(&signer, |_| {}, "ES256");
    assert_eq!(signature.len(), 64);
    let Signer::P256(pair) = &signer else {
        unreachable!()
    };
    let public = ring::signature::UnparsedPublicKey::new(
        &ring::signature::ECDSA_P256_SHA256_FIXED,
        ring::signature::KeyPair::public_key(pair),
    );
    assert!(public.verify(input.as_bytes(), &signature).is_ok());

    let signer = Signer::rsa();
    let algorithm = |key: &mut Value| key["algorithm"] = json!("RSA_SIGN_PKCS1_2048_SHA256");
    let (input, signature) = token(&signer, algorithm, "RS256");
    assert!(signer.public().verify(input.as_bytes(), &signature).is_ok());
}
