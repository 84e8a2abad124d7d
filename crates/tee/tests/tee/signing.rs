//! Signatures and tokens by keys in Cloud KMS.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use tee::{Algorithm, Digest, base64};

use crate::access::{KEY, access, crc};
use crate::world::World;
use crate::{Signer, failed};

/// Changes a document.
type Change = fn(&mut Value);

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
