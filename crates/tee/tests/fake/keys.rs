//! The keys of the issuer of tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents};
use serde_json::{Value, json};

fn key_pair(name: &str) -> RsaKeyPair {
    let pkcs8: &[u8] = match name {
        "issuer" => include_bytes!("../data/issuer.pk8"),
        "other" => include_bytes!("../data/other.pk8"),
        name => panic!("no key {name}"),
    };
    RsaKeyPair::from_pkcs8(pkcs8).unwrap()
}

pub fn jwks() -> Value {
    let pair = key_pair("issuer");
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
    let (modulus, exponent) = (number(&public.n), number(&public.e));
    json!({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k", "n": modulus, "e": exponent}]})
}

pub fn sign(key: &str, claims: &Value) -> String {
    let header = json!({"alg": "RS256", "kid": "k", "typ": "JWT"});
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", encode(&header), encode(claims));
    let pair = key_pair(key);
    let mut signature = vec![0; pair.public_key().modulus_len()];
    let random = ring::rand::SystemRandom::new();
    pair.sign(&RSA_PKCS1_SHA256, &random, input.as_bytes(), &mut signature)
        .unwrap();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}
