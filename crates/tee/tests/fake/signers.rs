//! Parties that sign.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use serde_json::{Value, json};
use tee::{Digest, Party, PublicKey};

const P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
const RSA: &[u8] = &[
    0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
    0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00,
];
const ED25519: &[u8] = &[
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// The repository of all tests.
pub const REPOSITORY: &str = "registry.example/acme/server";

/// A key of a party.
pub enum Signer {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl Signer {
    pub fn p256() -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self::P256(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap())
    }

    pub fn ed25519() -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed25519(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap())
    }

    /// A key of 2048 bits, always the same.
    pub fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::from_pkcs8(include_bytes!("../data/other.pk8")).unwrap())
    }

    fn der(&self) -> Vec<u8> {
        match self {
            Self::P256(pair) => [P256, pair.public_key().as_ref()].concat(),
            Self::Ed25519(pair) => [ED25519, pair.public_key().as_ref()].concat(),
            Self::Rsa(pair) => [RSA, pair.public_key().as_ref()].concat(),
        }
    }

    pub fn pem(&self) -> String {
        let der = STANDARD.encode(self.der());
        format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n")
    }

    pub fn public(&self) -> PublicKey {
        PublicKey::from_pem(&self.pem()).unwrap()
    }

    pub fn id(&self) -> String {
        self.public().id().hex()
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).unwrap();
                signature.as_ref().to_vec()
            }
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let random = SystemRandom::new();
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
        }
    }

    /// A payload and its signature.
    pub fn payload(&self, image: Digest, repository: &str) -> (Vec<u8>, Vec<u8>) {
        let payload = json!({"critical": {
            "identity": {"docker-reference": repository},
            "image": {"docker-manifest-digest": image},
            "type": "cosign container image signature",
        }, "optional": {"release": "1"}});
        let payload = payload.to_string().into_bytes();
        let signature = self.sign(&payload);
        (payload, signature)
    }

    /// The same as an operator carries it.
    pub fn carried(&self, image: Digest, repository: &str) -> Value {
        let (payload, signature) = self.payload(image, repository);
        json!({"payload": STANDARD.encode(payload), "signature": STANDARD.encode(signature)})
    }

    /// A bundle with a statement of a type about an image in a repository.
    pub fn bundle(&self, predicate: &str, image: Digest, repository: Option<&str>) -> Value {
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "predicateType": predicate,
            "subject": [{"name": repository, "digest": {"sha256": image.hex()}}],
            "predicate": {},
        });
        self.envelope("application/vnd.in-toto+json", &statement.to_string())
    }

    /// A bundle with a payload of a type.
    pub fn envelope(&self, kind: &str, statement: &str) -> Value {
        let (a, b) = (kind.len(), statement.len());
        let signed = format!("DSSEv1 {a} {kind} {b} {statement}");
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {"publicKey": {"hint": "x"}, "tlogEntries": []},
            "dsseEnvelope": {
                "payload": STANDARD.encode(statement),
                "payloadType": kind,
                "signatures": [{"sig": STANDARD.encode(self.sign(signed.as_bytes())), "keyid": ""}],
            },
        })
    }
}

/// The predicate of a signature.
pub const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

/// A party with these keys.
pub fn party(name: &str, keys: &[&Signer]) -> Party {
    Party::by_keys(name, keys.iter().map(|key| key.public()).collect())
}
