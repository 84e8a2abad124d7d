//! Access to a party's keys, secrets and objects.

use std::time::Duration;

use serde_json::{Value, json};
use tee::{Access, Bound, Digest, Error, Federation, Quorum, Source, base64, crc32c};

use crate::http::Response;
use crate::world::{World, image};
use crate::{Signer, bind, failed, party, refused};

const PROVIDER: &str = "projects/1/locations/global/workloadIdentityPools/pool/providers/provider";
pub const KEY: &str = "projects/bank/locations/global/keyRings/ring/cryptoKeys/data";
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

pub fn access(world: &World) -> Access<'_> {
    grant(world, "access-1", 3600);
    world.tee().exchange(&bound(world), &bank()).unwrap()
}

pub fn crc(bytes: &[u8]) -> Value {
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

#[test]
fn no_error_quotes_the_token() {
    let world = World::new();
    let token = "ya29.c.b0AXv0zTPk3Jx-access_token";
    grant(&world, token, 3600);
    let access = world.tee().exchange(&bound(&world), &bank()).unwrap();
    let (secret, object) = (VERSION.parse().unwrap(), OBJECT.parse().unwrap());
    let version = format!("{KEY}/cryptoKeyVersions/2").parse().unwrap();
    let paths = [
        format!("/secrets/v1/{VERSION}:access"),
        OBJECT_PATH.to_owned(),
        format!("/kms/v1/{KEY}/cryptoKeyVersions/2/publicKey"),
        format!("/kms/v1/{KEY}:decrypt"),
    ];
    for status in [200, 400, 401, 403, 404, 418] {
        for echo in [
            format!("unknown token {token}"),
            json!({"error": {"status": token, "message": format!("Bearer {token}")}}).to_string(),
            json!({"error": token, "error_description": &token[10..25]}).to_string(),
        ] {
            for path in &paths {
                world.answer(path, (status, echo.clone().into_bytes()));
            }
            for error in [
                access.secret(&secret).err(),
                access.object(&object, 1000).err(),
                access.signing_key(&version).err(),
                access
                    .decrypt("decrypting", &KEY.parse().unwrap(), b"", b"")
                    .err(),
            ] {
                let (error, shown) = (error.unwrap(), &token[10..25]);
                let all = format!("{error} {error:?}");
                assert!(!all.contains(shown), "{status}: {all}");
            }
        }
    }
}
