//! A Sigstore instance on loopback: a certificate authority with a log of certificates, a log of signatures and a timestamp
//! authority, beside a registry with one image.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use content::Digest;
use rcgen::{CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, SerialNumber};
use serde_json::{Value, json};
use signature::{PrivateKey, PublicKey};
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};

use crate::play::{Answer, Play, Request, reply};
use crate::world::{Entry, ISSUER, Leaf, TIME, World, checkpoint, issuer, params, pem};

pub const IMAGE: &[u8] =
    br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
    "config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,
    "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[
    {"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","size":2,
    "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}]}"#;

/// OIDs in DER.
const SHA256: &[u8] = &[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
const ECDSA: &[u8] = &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const SIGNED_DATA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
const CONTENT_TYPE: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3];
const MESSAGE_DIGEST: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4];
const TST_INFO: &[u8] = &[6, 11, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 4];
/// The extension with timestamps of certificate logs (RFC 6962, section 3.3).
const SCT_LIST: [u64; 10] = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];

/// What is wrong with the instance.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    None,
    /// The certificate is of another key.
    OtherKey,
    /// The certificate names another subject than the token.
    OtherSubject,
    /// The certificate names another issuer than the token.
    OtherIssuer,
    /// The certificate is not logged.
    Unlogged,
    /// Another log says that it has the certificate.
    LoggedElsewhere,
    /// Another certificate authority answers.
    OtherAuthority,
    /// The entry is of another signature.
    OtherEntry,
    /// The entry is not in the tree of which the log has signed the root.
    WrongProof,
    /// Another log has signed the checkpoint.
    OtherCheckpoint,
    /// The log answers with the error of a gateway, as an entry.
    NoEntry,
    /// The timestamp is of another signature.
    OtherTimestamp,
    /// The timestamp authority refuses, with the status of HTTP for success.
    Rejection,
    /// The trusted root has another timestamp authority.
    OtherTimestamps,
    /// This service answers with a status and a body, and with another address, which matters for a redirect only.
    Answers(&'static str, &'static str, &'static [u8]),
    /// This service answers with more than is read.
    Large(&'static str),
}

struct Instance {
    world: World,
    stranger: World,
    certificates: PrivateKey,
    clock: Leaf,
    fault: Fault,
    subject: rcgen::SanType,
}

/// The time of day: after the signature.
pub fn clock() -> DateTime<Utc> {
    DateTime::from_timestamp(TIME + 2, 0).unwrap()
}

/// Starts the instance, of which `fault` is wrong. Certificates name `subject`. Returns it with its trusted root.
pub async fn start(fault: Fault, subject: rcgen::SanType) -> (Play, Value) {
    let world = World::new();
    let stranger = World::new();
    let mut of_clock = params();
    of_clock.extended_key_usages = vec![ExtendedKeyUsagePurpose::TimeStamping];
    let clock = match fault {
        Fault::OtherTimestamps => stranger.leaf(&of_clock),
        _ => world.leaf(&of_clock),
    };
    let instance = Instance {
        certificates: PrivateKey::generate().unwrap(),
        subject,
        clock,
        world,
        stranger,
        fault,
    };
    let root = instance.root(&of_clock);
    (
        Play::serve(move |request, _| instance.answer(request)).await,
        root,
    )
}

impl Instance {
    fn root(&self, of_clock: &CertificateParams) -> Value {
        let mut root = self.world.root();
        let mut log = root["tlogs"][0].clone();
        let key = self.certificates.public();
        log["publicKey"]["rawBytes"] = STANDARD.encode(key.der()).into();
        log["logId"]["keyId"] = STANDARD.encode(key.key_id().as_bytes()).into();
        root["ctlogs"] = json!([log]);
        let trusted = match self.fault {
            Fault::OtherTimestamps => self.world.leaf(of_clock).der,
            _ => self.clock.der.clone(),
        };
        let mut authority = root["certificateAuthorities"][0].clone();
        let chain = authority["certChain"]["certificates"]
            .as_array_mut()
            .unwrap();
        chain.insert(0, json!({ "rawBytes": STANDARD.encode(trusted) }));
        root["timestampAuthorities"] = json!([authority]);
        root
    }

    fn answer(&self, request: &Request) -> Answer {
        let path = request.path.as_str();
        match self.fault {
            Fault::Answers(at, status, body) if at == path => {
                return reply(status, "Location: /elsewhere\r\n", body);
            }
            Fault::Large(at) if at == path => return reply("200 OK", "", &vec![b' '; 300_000]),
            _ => {}
        }
        match (request.method.as_str(), path) {
            ("POST", "/api/v2/signingCert") => ok(&self.certificate(request)),
            ("POST", "/api/v2/log/entries") => ok(&self.entry(request)),
            ("POST", "/api/v1/timestamp") => reply("201 Created", "", &self.timestamp(request)),
            _ => registry(request),
        }
    }

    fn certificate(&self, request: &Request) -> Value {
        let asked: Value = serde_json::from_slice(&request.body).unwrap();
        let asked = &asked["publicKeyRequest"];
        let mut key = PublicKey::from_pem(asked["publicKey"]["content"].as_str().unwrap()).unwrap();
        let token = request.header("authorization").unwrap();
        let claims = token.strip_prefix("Bearer ").unwrap().split('.').nth(1);
        let claims = URL_SAFE_NO_PAD.decode(claims.unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let name = claims["email"].as_str().or(claims["sub"].as_str());
        let proof = STANDARD.decode(asked["proofOfPossession"].as_str().unwrap());
        key.verify(name.unwrap().as_bytes(), &proof.unwrap())
            .unwrap();
        let mut params = params();
        params.serial_number = Some(SerialNumber::from(7));
        params.subject_alt_names = vec![self.subject.clone()];
        match self.fault {
            Fault::OtherKey => key = PrivateKey::generate().unwrap().public().clone(),
            Fault::OtherSubject => {
                params.subject_alt_names = vec![rcgen::SanType::Rfc822Name(
                    "other@x.example".try_into().unwrap(),
                )];
            }
            Fault::OtherIssuer => {
                params.custom_extensions = vec![issuer("https://other.example")];
            }
            _ => {}
        }
        let world = match self.fault {
            Fault::OtherAuthority => &self.stranger,
            _ => &self.world,
        };
        let unlogged = world.certify(&params, &key);
        if self.fault != Fault::Unlogged {
            params.custom_extensions.push(self.logged(&unlogged));
        }
        let certificate = pem("CERTIFICATE", &world.certify(&params, &key));
        json!({ "signedCertificateEmbeddedSct": { "chain": { "certificates": [certificate, "root"] } } })
    }

    /// The extension that says that the log has this certificate (RFC 6962, section 3.2).
    fn logged(&self, unlogged: &[u8]) -> CustomExtension {
        let root = self.world.root();
        let root = &root["certificateAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"];
        let own = Certificate::from_der(&STANDARD.decode(root.as_str().unwrap()).unwrap());
        let key = own.unwrap().tbs_certificate.subject_public_key_info;
        let body = Certificate::from_der(unlogged)
            .unwrap()
            .tbs_certificate
            .to_der()
            .unwrap();
        let authority = Digest::of(&key.to_der().unwrap());
        let time = u64::try_from(TIME * 1000).unwrap().to_be_bytes();
        let signed = [
            &[0, 0],
            &time[..],
            &[0, 1],
            authority.as_bytes(),
            &u32::try_from(body.len()).unwrap().to_be_bytes()[1..],
            &body,
            &[0, 0],
        ];
        let by = match self.fault {
            Fault::LoggedElsewhere => &self.world.log,
            _ => &self.certificates,
        };
        let signature = by.sign(&signed.concat()).unwrap();
        let id = self.certificates.public().key_id();
        let signature = long(&signature, &[4, 3]);
        let sct = [&[0][..], id.as_bytes(), &time[..], &[0, 0], &signature].concat();
        let list = long(&long(&sct, &[]), &[]);
        CustomExtension::from_oid_content(&SCT_LIST, tlv(4, &[&list]))
    }

    fn entry(&self, request: &Request) -> Value {
        if self.fault == Fault::NoEntry {
            return json!({ "code": 3, "message": "no" });
        }
        let asked: Value = serde_json::from_slice(&request.body).unwrap();
        let asked = &asked["hashedRekordRequestV002"];
        let digest = match self.fault {
            Fault::OtherEntry => STANDARD.encode(Digest::of(b"other").as_bytes()).into(),
            _ => asked["digest"].clone(),
        };
        let body = json!({
            "apiVersion": "0.0.2",
            "kind": "hashedrekord",
            "spec": { "hashedRekordV002": {
                "data": { "algorithm": "SHA2_256", "digest": digest },
                "signature": asked["signature"],
            } },
        });
        let (log, time) = (&self.world.log, 0);
        let mut entry = Entry { log, time, body }.logged();
        entry["kindVersion"]["version"] = "0.0.2".into();
        entry["inclusionPromise"] = Value::Null;
        let proof = &mut entry["inclusionProof"];
        match self.fault {
            Fault::WrongProof => {
                let signed = checkpoint(&self.world.log, &Digest::of(b"other"));
                proof["checkpoint"]["envelope"] = signed.into();
            }
            Fault::OtherCheckpoint => {
                let root = STANDARD
                    .decode(proof["rootHash"].as_str().unwrap())
                    .unwrap();
                let root = Digest::from_bytes(root.try_into().unwrap());
                let signed = checkpoint(&self.world.other_log, &root);
                proof["checkpoint"]["envelope"] = signed.into();
            }
            _ => {}
        }
        entry
    }

    /// A timestamp (RFC 3161, section 2.4.2), without certificates.
    fn timestamp(&self, request: &Request) -> Vec<u8> {
        if self.fault == Fault::Rejection {
            return tlv(0x30, &[&tlv(0x30, &[&[2, 1, 2]])]);
        }
        let mut imprint = request.body[5..56].to_vec();
        if self.fault == Fault::OtherTimestamp {
            imprint[50] ^= 1;
        }
        let sha256 = tlv(0x30, &[SHA256]);
        let time = tlv(0x18, &[b"20260101120001Z"]);
        let info = tlv(
            0x30,
            &[&[2, 1, 1], &[6, 3, 0x2a, 3, 4], &imprint, &[2, 1, 1], &time],
        );
        let digest = tlv(4, &[Digest::of(&info).as_bytes()]);
        let attributes = [
            tlv(0x30, &[CONTENT_TYPE, &tlv(0x31, &[TST_INFO])]),
            tlv(0x30, &[MESSAGE_DIGEST, &tlv(0x31, &[&digest])]),
        ]
        .concat();
        let signature = self.clock.key.sign(&tlv(0x31, &[&attributes])).unwrap();
        let own = Certificate::from_der(&self.clock.der)
            .unwrap()
            .tbs_certificate;
        let (issuer, serial) = (own.issuer.to_der(), own.serial_number.to_der());
        let signer = tlv(
            0x30,
            &[
                &[2, 1, 1],
                &tlv(0x30, &[&issuer.unwrap(), &serial.unwrap()]),
                &sha256,
                &tlv(0xa0, &[&attributes]),
                &tlv(0x30, &[ECDSA]),
                &tlv(4, &[&signature]),
            ],
        );
        let signed = tlv(
            0x30,
            &[
                &[2, 1, 3],
                &tlv(0x31, &[&sha256]),
                &tlv(0x30, &[TST_INFO, &tlv(0xa0, &[&tlv(4, &[&info])])]),
                &tlv(0x31, &[&signer]),
            ],
        );
        let token = tlv(0x30, &[SIGNED_DATA, &tlv(0xa0, &[&signed])]);
        tlv(0x30, &[&tlv(0x30, &[&[2, 1, 0]]), &token])
    }
}

fn ok(answer: &Value) -> Answer {
    reply(
        "200 OK",
        "Content-Type: application/json\r\n",
        answer.to_string().as_bytes(),
    )
}

/// Keeps what is pushed.
fn registry(request: &Request) -> Answer {
    let is_image = request.path == format!("/v2/a/b/manifests/{}", Digest::of(IMAGE));
    match request.method.as_str() {
        "GET" if is_image => reply("200 OK", "", IMAGE),
        "POST" => reply("202 Accepted", "Location: /v2/a/b/blobs/uploads/1\r\n", b""),
        "PUT" => reply("201 Created", "", b""),
        "GET" => match request.earlier_body("PUT", &request.path) {
            Some(stored) => reply("200 OK", "", &stored),
            None => reply("404 Not Found", "", b""),
        },
        _ => reply("404 Not Found", "", b""),
    }
}

/// A value in DER.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len();
    let header = match length {
        0..0x80 => vec![tag, u8::try_from(length).unwrap()],
        0x80..0x100 => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, u8::try_from(length >> 8).unwrap(), length as u8],
    };
    [header, content].concat()
}

/// Bytes after their length in two bytes, as TLS writes them (RFC 8446, section 3.4), after `before`.
fn long(bytes: &[u8], before: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
    [before, &length, bytes].concat()
}

/// An identity token.
pub fn token(claims: &Value) -> String {
    let mut all = json!({ "iss": ISSUER, "exp": 1_900_000_000 });
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    let claims = URL_SAFE_NO_PAD.encode(all.to_string());
    format!("e30.{claims}.c2VjcmV0LXNpZ25hdHVyZQ")
}

/// A signing config with the services of an instance.
pub fn config(play: &Play) -> Value {
    let port = play.port;
    let service = |path: &str, version: u32| {
        json!([{
            "url": format!("http://127.0.0.1:{port}{path}"),
            "majorApiVersion": version,
            "validFor": { "start": "2025-01-01T00:00:00Z" },
            "operator": "test",
        }])
    };
    json!({
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": service("", 1),
        "rekorTlogUrls": service("/", 2),
        "rekorTlogConfig": { "selector": "ANY" },
        "tsaUrls": service("/api/v1/timestamp", 1),
        "tsaConfig": { "selector": "ANY" },
    })
}
