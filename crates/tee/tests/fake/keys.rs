//! Keys, signatures and encryption.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use content::Digest;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
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

pub fn aead_key(name: &str) -> LessSafeKey {
    let key = UnboundKey::new(&AES_256_GCM, Digest::of(name.as_bytes()).as_bytes());
    LessSafeKey::new(key.unwrap())
}

pub fn encrypt(key: &str, aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let mut data = plaintext.to_vec();
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    aead_key(key)
        .seal_in_place_append_tag(nonce, Aad::from(aad), &mut data)
        .unwrap();
    data
}
