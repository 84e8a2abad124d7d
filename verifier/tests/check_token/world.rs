//! An authority, and tokens that it vouches for.

use std::fs;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_RSA_SHA256,
    date_time_ymd,
};
use serde_json::{Value, json};
use signature::PrivateKey;
use tempfile::TempDir;

/// When the token of these tests is valid.
pub const AT: u64 = 1_767_268_800;

/// A certificate in DER and what it was made of.
#[derive(Clone)]
pub struct Certificate {
    pub der: Vec<u8>,
    pub params: CertificateParams,
}

pub fn params(name: &str, is_ca: IsCa) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = is_ca;
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2026, 1, 2);
    params
}

pub fn rsa() -> KeyPair {
    KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap()
}

pub const CA: IsCa = IsCa::Ca(BasicConstraints::Unconstrained);

/// An authority, an intermediate and a leaf, each with a key.
pub struct Authority {
    pub keys: [KeyPair; 3],
    pub root: Certificate,
    pub intermediate: Certificate,
    pub leaf: Certificate,
}

impl Authority {
    pub fn new() -> Self {
        let keys = [rsa(), rsa(), rsa()];
        let root = params("root", CA);
        let der = root.self_signed(&keys[0]).unwrap().der().to_vec();
        let root = Certificate { der, params: root };
        let intermediate = issue(&root, &keys[0], params("intermediate", CA), &keys[1]);
        let leaf = issue(
            &intermediate,
            &keys[1],
            params("leaf", IsCa::ExplicitNoCa),
            &keys[2],
        );
        Self {
            keys,
            root,
            intermediate,
            leaf,
        }
    }

    pub fn chain(&self) -> Vec<Vec<u8>> {
        [&self.leaf, &self.intermediate, &self.root]
            .map(|one| one.der.clone())
            .to_vec()
    }
}

pub fn issue(
    issuer: &Certificate,
    issuer_key: &KeyPair,
    params: CertificateParams,
    key: &KeyPair,
) -> Certificate {
    let issuer = Issuer::from_params(&issuer.params, issuer_key);
    let der = params.signed_by(key, &issuer).unwrap().der().to_vec();
    Certificate { der, params }
}

pub static AUTHORITY: LazyLock<Authority> = LazyLock::new(Authority::new);
pub static OTHER: LazyLock<Authority> = LazyLock::new(Authority::new);

pub fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

pub fn claims() -> Value {
    json!({
        "aud": "https://me.example",
        "iss": "https://confidentialcomputing.googleapis.com",
        "iat": AT, "nbf": AT, "exp": AT + 3600,
        "eat_nonce": ["nonce-one", "nonce-two"],
        "swname": "CONFIDENTIAL_SPACE",
        "dbgstat": "disabled-since-boot",
    })
}

/// A token signed with the key of the authority's leaf.
pub fn token(header: &Value, claims: &Value) -> String {
    signed(header, claims, &AUTHORITY.keys[2])
}

pub fn signed(header: &Value, claims: &Value, key: &KeyPair) -> String {
    let parts = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let input = parts.join(".");
    let key = PrivateKey::from_pem(&pem("PRIVATE KEY", &key.serialize_der())).unwrap();
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}\n", URL_SAFE_NO_PAD.encode(signature))
}

pub fn pki(chain: &[Vec<u8>]) -> Value {
    let chain: Vec<_> = chain.iter().map(|der| STANDARD.encode(der)).collect();
    json!({"alg": "RS256", "typ": "JWT", "x5c": chain})
}

/// The key of the authority's leaf, as a key set.
pub fn jwks() -> String {
    let pem = pem("PRIVATE KEY", &AUTHORITY.keys[2].serialize_der());
    let key = PrivateKey::from_pem(&pem).unwrap();
    // SubjectPublicKeyInfo of RSA with 2048 bits and the exponent 65537: the modulus begins after 33 bytes.
    let modulus = &key.public().der()[33..33 + 256];
    let modulus = URL_SAFE_NO_PAD.encode(modulus);
    let key =
        json!({"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "k", "e": "AQAB", "n": modulus});
    json!({"keys": [key]}).to_string()
}

pub fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    write("jwks", jwks());
    write("root", pem("CERTIFICATE", &AUTHORITY.root.der));
    let kid = json!({"alg": "RS256", "typ": "JWT", "kid": "k"});
    write("oidc", token(&kid, &claims()));
    write("pki", token(&pki(&AUTHORITY.chain()), &claims()));
    let mut debug = claims();
    debug["dbgstat"] = "enabled".into();
    write("debug", token(&kid, &debug));
    folder
}
