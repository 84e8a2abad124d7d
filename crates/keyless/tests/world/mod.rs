//! A certificate authority, two logs, and bundles that they vouch for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use content::{Digest, json};
use keyless::{Artifact, Bundle, Reason, Subject, TrustRoot, Trusted, Verified, verify_keyless};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, ExtendedKeyUsagePurpose,
    IsCa, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType,
    SignatureAlgorithm,
};
use serde_json::{Value, json};
use signature::{PrivateKey, PublicKey};

pub const ISSUER: &str = "https://issuer.example";
pub const SUBJECT: &str = "https://forge.example/a/b@refs/heads/main";
pub const ARTIFACT: &[u8] = b"artifact";
/// When the log took the entry: noon of the one day on which certificates are valid.
pub const TIME: i64 = 1_767_268_800;
/// Noon of the next day.
pub const NEXT_DAY: i64 = TIME + 86_400;

/// Fulcio's extension for the issuer (`docs/oid-info.md`).
const ISSUER_OID: [u64; 9] = [1, 3, 6, 1, 4, 1, 57264, 1, 8];

pub struct World {
    ca: CertifiedIssuer<'static, KeyPair>,
    pub log: PrivateKey,
    pub other_log: PrivateKey,
}

/// A certificate, and its key.
pub struct Leaf {
    pub der: Vec<u8>,
    pub key: PrivateKey,
}

/// A public key on P-256, as a point that is not compressed.
struct Point(Vec<u8>);

impl PublicKeyData for Point {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

/// What a log says about one entry.
pub struct Entry<'a> {
    /// Who signs promise and checkpoint, and is named.
    pub log: &'a PrivateKey,
    pub time: i64,
    pub body: Value,
}

pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NEXT_DAY, 0).unwrap()
}

pub fn leaf_by(authority: &CertifiedIssuer<'static, KeyPair>, params: &CertificateParams) -> Leaf {
    let pair = KeyPair::generate().unwrap();
    leaf_of(&pair, authority, params)
}

fn leaf_of(
    pair: &KeyPair,
    authority: &CertifiedIssuer<'static, KeyPair>,
    params: &CertificateParams,
) -> Leaf {
    let certificate = params.signed_by(pair, authority).unwrap();
    Leaf {
        der: certificate.der().to_vec(),
        key: key_of(pair),
    }
}

fn key_of(pair: &KeyPair) -> PrivateKey {
    let text = STANDARD.encode(pair.serialize_der());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    PrivateKey::from_pem(&pem).unwrap()
}

/// An extension with the issuer as a UTF8String.
pub fn issuer(url: &str) -> CustomExtension {
    let mut der = vec![0x0c, u8::try_from(url.len()).unwrap()];
    der.extend_from_slice(url.as_bytes());
    CustomExtension::from_oid_content(&ISSUER_OID, der)
}

/// What Fulcio puts into a certificate of a workload.
pub fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    (params.not_before, params.not_after) = (
        rcgen::date_time_ymd(2026, 1, 1),
        rcgen::date_time_ymd(2026, 1, 2),
    );
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.subject_alt_names = vec![SanType::URI(SUBJECT.try_into().unwrap())];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.custom_extensions = vec![issuer(ISSUER)];
    params
}

impl World {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let [log, other_log] = [(); 2].map(|()| PrivateKey::generate().unwrap());
        Self { ca, log, other_log }
    }

    pub fn leaf(&self, params: &CertificateParams) -> Leaf {
        leaf_by(&self.ca, params)
    }

    /// A certificate of this key, which is on P-256.
    pub fn certify(&self, params: &CertificateParams, key: &PublicKey) -> Vec<u8> {
        let point = Point(key.der()[key.der().len() - 65..].to_vec());
        params.signed_by(&point, &self.ca).unwrap().der().to_vec()
    }

    /// A certificate for a key that others may be for as well.
    pub fn leaf_for(&self, pair: &KeyPair, params: &CertificateParams) -> Leaf {
        leaf_of(pair, &self.ca, params)
    }

    /// The key of the authority (SubjectPublicKeyInfo).
    pub fn authority_key(&self) -> Vec<u8> {
        self.ca.key().subject_public_key_info()
    }

    /// An authority below the one of this world, and its certificate in the root's chain.
    pub fn intermediate(
        &self,
        mut params: CertificateParams,
    ) -> (CertifiedIssuer<'static, KeyPair>, Value) {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let below = CertifiedIssuer::signed_by(params, key, &self.ca).unwrap();
        let mut root = self.root();
        let chain = &mut root["certificateAuthorities"][0]["certChain"]["certificates"];
        let own = json!({ "rawBytes": STANDARD.encode(below.der()) });
        chain.as_array_mut().unwrap().insert(0, own);
        (below, root)
    }

    /// A trusted root: the authority and both logs. Certificates are in no log of their own.
    pub fn root(&self) -> Value {
        let log = |key: &PrivateKey, name: &str| {
            json!({
                "baseUrl": format!("https://{name}"),
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": STANDARD.encode(key.public().der()),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": { "start": "2025-01-01T00:00:00Z" },
                },
                "logId": { "keyId": STANDARD.encode(key.public().key_id().as_bytes()) },
            })
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(&self.log, "log.example"), log(&self.other_log, "other.example")],
            "certificateAuthorities": [{
                "subject": { "organization": "example", "commonName": "ca" },
                "uri": "https://ca.example",
                "certChain": { "certificates": [{ "rawBytes": STANDARD.encode(self.ca.der()) }] },
                "validFor": { "start": "2025-01-01T00:00:00Z" },
            }],
        })
    }

    /// A bundle over [`ARTIFACT`], as it should be.
    pub fn bundle(&self) -> Value {
        self.bundle_by(&self.leaf(&params()))
    }

    pub fn bundle_by(&self, leaf: &Leaf) -> Value {
        let signature = leaf.key.sign(ARTIFACT).unwrap();
        let entry = Entry {
            log: &self.log,
            time: TIME,
            body: hashed(
                &Digest::of(ARTIFACT),
                &signature,
                &pem("CERTIFICATE", &leaf.der),
            ),
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": { "rawBytes": STANDARD.encode(&leaf.der) },
                "tlogEntries": [entry.logged()],
            },
            "messageSignature": message(&signature),
        })
    }

    /// A bundle that contains a statement.
    pub fn bundle_of(&self, leaf: &Leaf, payload: &[u8]) -> Value {
        let verifier = pem("CERTIFICATE", &leaf.der);
        let signer = json!({ "certificate": { "rawBytes": STANDARD.encode(&leaf.der) } });
        self.logged_statement(&leaf.key, &verifier, signer, payload)
    }

    /// A bundle that contains a statement with a key, and an entry of it.
    pub fn bundle_of_key(&self, key: &PrivateKey, payload: &[u8]) -> Value {
        let signer = json!({ "publicKey": { "hint": "" } });
        self.logged_statement(key, &key.public().to_pem(), signer, payload)
    }

    fn logged_statement(
        &self,
        key: &PrivateKey,
        verifier: &str,
        mut material: Value,
        payload: &[u8],
    ) -> Value {
        let kind = signature::envelope::IN_TOTO;
        let signed = signature::envelope::pae(kind, payload);
        let signature = STANDARD.encode(key.sign(&signed).unwrap());
        let hash = |bytes| json!({ "algorithm": "sha256", "value": Digest::of(bytes).hex() });
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": hash(b""),
                "payloadHash": hash(payload),
                "signatures": [{ "signature": signature, "verifier": STANDARD.encode(verifier) }],
            },
        });
        let (log, time) = (&self.log, TIME);
        material["tlogEntries"] = json!([Entry { log, time, body }.logged()]);
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": material,
            "dsseEnvelope": {
                "payload": STANDARD.encode(payload),
                "payloadType": kind,
                "signatures": [{ "sig": signature }],
            },
        })
    }

    /// A bundle over [`ARTIFACT`] with a key, and an entry of it.
    pub fn bundle_by_key(&self, key: &PrivateKey) -> Value {
        let signature = key.sign(ARTIFACT).unwrap();
        let body = hashed(&Digest::of(ARTIFACT), &signature, &key.public().to_pem());
        let (log, time) = (&self.log, TIME);
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "publicKey": { "hint": "" },
                "tlogEntries": [Entry { log, time, body }.logged()],
            },
            "messageSignature": message(&signature),
        })
    }
}

fn message(signature: &[u8]) -> Value {
    json!({
        "messageDigest": {
            "algorithm": "SHA2_256",
            "digest": STANDARD.encode(Digest::of(ARTIFACT).as_bytes()),
        },
        "signature": STANDARD.encode(signature),
    })
}

pub fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// The body of an entry of kind hashedrekord 0.0.1.
pub fn hashed(digest: &Digest, signature: &[u8], verifier: &str) -> Value {
    json!({
        "apiVersion": "0.0.1",
        "kind": "hashedrekord",
        "spec": {
            "data": { "hash": { "algorithm": "sha256", "value": digest.hex() } },
            "signature": {
                "content": STANDARD.encode(signature),
                "publicKey": { "content": STANDARD.encode(verifier) },
            },
        },
    })
}

impl Entry<'_> {
    /// The entry as the only one of its log, with promise and proof.
    pub fn logged(&self) -> Value {
        let body = json::canonical(&self.body).unwrap();
        let root = Digest::of(&[&[0], &body[..]].concat());
        let id = self.log.public().key_id();
        let promised = json::canonical(&json!({
            "body": STANDARD.encode(&body),
            "integratedTime": self.time,
            "logID": id.hex(),
            "logIndex": 0,
        }));
        let promise = self.log.sign(&promised.unwrap()).unwrap();
        json!({
            "logIndex": "0",
            "logId": { "keyId": STANDARD.encode(id.as_bytes()) },
            "kindVersion": { "kind": self.body["kind"], "version": "0.0.1" },
            "integratedTime": self.time.to_string(),
            "inclusionPromise": { "signedEntryTimestamp": STANDARD.encode(promise) },
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": STANDARD.encode(root.as_bytes()),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": { "envelope": checkpoint(self.log, &root) },
            },
            "canonicalizedBody": STANDARD.encode(&body),
        })
    }
}

/// A checkpoint of a tree with one entry (C2SP, `tlog-checkpoint`).
pub fn checkpoint(log: &PrivateKey, root: &Digest) -> String {
    checkpoint_of("log.example", log, root)
}

/// The same with another origin, by the same name.
pub fn checkpoint_of(origin: &str, log: &PrivateKey, root: &Digest) -> String {
    let text = format!("{origin}\n1\n{}\n", STANDARD.encode(root.as_bytes()));
    let mut signature = log.public().key_id().as_bytes()[..4].to_vec();
    signature.extend(log.sign(text.as_bytes()).unwrap());
    format!(
        "{text}\n\u{2014} log.example {}\n",
        STANDARD.encode(signature)
    )
}

/// Checks a bundle as signed by [`SUBJECT`] over [`ARTIFACT`].
pub fn judge(root: &Value, bundle: &Value) -> Result<Verified, Reason> {
    judge_as(root, &bundle.to_string(), &trusted(), now())
}

/// [`SUBJECT`], as [`ISSUER`] names it.
pub fn trusted() -> Trusted {
    Trusted {
        issuer: Some(ISSUER.to_owned()),
        subject: Subject::Exact(SUBJECT.to_owned()),
    }
}

pub fn judge_as(
    root: &Value,
    bundle: &str,
    trusted: &Trusted,
    now: DateTime<Utc>,
) -> Result<Verified, Reason> {
    let verified = TrustRoot::parse(root.to_string().as_bytes()).and_then(|root| {
        let bundle = Bundle::parse(bundle.as_bytes())?;
        verify_keyless(&bundle, &Artifact::Bytes(ARTIFACT), trusted, &root, now)
    });
    verified.map_err(|refusal| refusal.reason)
}
