//! Attestation tokens and the key set of their issuer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use confidential::Token;
use confidential::jwks::KeySet;
use confidential::token::BadSignature;
use serde_json::json;
use signature::{KeyType, PrivateKey, PublicKey};

use crate::subject::Subject;

pub fn subjects() -> Vec<Subject> {
    let key = PrivateKey::generate_of(KeyType::Rsa { bits: 2048 }).unwrap();
    let set = json!({"keys": [{
        "kty": "RSA", "kid": "k", "alg": "RS256", "use": "sig", "e": "AQAB",
        "n": BASE64URL.encode(modulus(key.public().der())),
    }]});
    let parts = vec![token(&key).into_bytes(), set.to_string().into_bytes()];
    vec![Subject::sealed("token", parts, |parts| {
        let token = Token::parse(std::str::from_utf8(&parts[0]).ok()?).ok()?;
        let set = KeySet::parse(&parts[1]).ok()?;
        let key = set.key_of(&token).ok()?;
        let key = PublicKey::from_rsa(&key.modulus, &key.exponent).ok()?;
        let key = key
            .with_algorithm("rsa-pkcs1-sha256".parse().unwrap())
            .ok()?;
        let claims =
            token.verify(|input, signature| key.verify(input, signature).map_err(|_| BadSignature));
        Some(format!("{:?}", claims.ok()?))
    })]
}

/// The end of a key on RSA with 2048 bits and the exponent 65537: the modulus, and the exponent in 5 bytes.
fn modulus(der: &[u8]) -> &[u8] {
    let end = der.len() - 5;
    assert_eq!(der[end..], [2, 3, 1, 0, 1]);
    &der[end - 256..end]
}

fn token(key: &PrivateKey) -> String {
    let header = json!({"alg": "RS256", "kid": "k", "typ": "JWT"});
    let claims = json!({
        "iss": "https://confidentialcomputing.googleapis.com", "aud": "https://sts.googleapis.com",
        "sub": "instance", "iat": 1, "nbf": 1, "exp": 3601, "secboot": true,
        "eat_nonce": ["thisIsAcustomNonce"], "hwmodel": "GCP_AMD_SEV", "swname": "CONFIDENTIAL_SPACE",
        "dbgstat": "disabled-since-boot",
        "submods": {
            "confidential_space": {"support_attributes": ["LATEST", "STABLE", "USABLE"]},
            "container": {
                "image_digest": format!("sha256:{}", "a".repeat(64)), "image_reference": "r.example/a",
                "restart_policy": "Never", "args": ["/workload"], "env": {"A": "b"},
            },
        },
    });
    let [header, claims] = [header, claims].map(|part| BASE64URL.encode(part.to_string()));
    let input = format!("{header}.{claims}");
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", BASE64URL.encode(signature))
}
