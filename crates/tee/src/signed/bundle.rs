//! Sigstore bundles that are signed with a key (protobuf-specs, `sigstore_bundle.proto`), with an envelope (DSSE) around an
//! in-toto statement. Log entries and timestamps are ignored: a signature by a key of the terms needs neither.

use std::collections::BTreeMap;

use content::{Digest, json};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{BUNDLE, Objection, Said, value};
use crate::encode::from_base64;
use crate::key::PublicKey;

/// The media type of a bundle.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// The other spelling of the media type.
const MEDIA_TYPE_PARAMETER: &str = "application/vnd.dev.sigstore.bundle+json;version=0.3";
/// The payload type of in-toto statements.
const IN_TOTO: &str = "application/vnd.in-toto+json";
/// The types of statements (in-toto attestation framework).
const STATEMENTS: [&str; 2] = [
    "https://in-toto.io/Statement/v1",
    "https://in-toto.io/Statement/v0.1",
];
/// The predicate of a signature. Provenance, a bill of materials or a verdict by the same key is none.
pub(crate) const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Material {
    certificate: Option<IgnoredAny>,
    x509_certificate_chain: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Signature>,
    /// What `payload` encodes, and the bytes that are signed.
    #[serde(skip)]
    decoded: Decoded,
}

#[derive(Debug, Default)]
struct Decoded {
    statement: Vec<u8>,
    encoding: Vec<u8>,
    signature: Vec<u8>,
}

#[derive(Debug, Deserialize)]
struct Signature {
    sig: String,
}

#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    subject: Vec<Subject>,
}

#[derive(Deserialize)]
struct Subject {
    name: Option<String>,
    #[serde(default, deserialize_with = "json::null_is_default")]
    digest: BTreeMap<String, String>,
}

pub(super) fn check_version(media_type: Option<&str>) -> Result<(), Objection> {
    match media_type {
        Some(MEDIA_TYPE | MEDIA_TYPE_PARAMETER) => Ok(()),
        found => Err(value(
            "a payload with its signature, or a bundle of version 0.3",
            found.unwrap_or("neither").to_owned(),
        )),
    }
}

impl Material {
    pub(super) fn check(&self) -> Result<(), Objection> {
        match (&self.certificate, &self.x509_certificate_chain) {
            (None, None) => Ok(()),
            _ => Err(value(
                "a bundle signed with a key",
                "a certificate".to_owned(),
            )),
        }
    }
}

impl Envelope {
    /// "During verification a client MUST reject an envelope if the number of signatures is not equal to one"
    /// (`sigstore_bundle.proto`, `dsse_envelope`).
    pub(super) fn check(mut self) -> Result<Self, Objection> {
        let [signature] = &self.signatures[..] else {
            let found = self.signatures.len().to_string();
            return Err(value("exactly 1 signature in a bundle", found));
        };
        let decode = |text: &str, expected| {
            from_base64(text).ok_or_else(|| value(expected, "other text".to_owned()))
        };
        let statement = decode(&self.payload, "a statement in base64")?;
        self.decoded = Decoded {
            signature: decode(&signature.sig, "a signature in base64")?,
            encoding: encoding(&self.payload_type, &statement),
            statement,
        };
        Ok(self)
    }

    /// The payload, if `key` has signed it as a statement.
    pub(super) fn verified(&self, key: &PublicKey) -> Option<&[u8]> {
        let Decoded {
            statement,
            encoding,
            signature,
        } = &self.decoded;
        let is_signed = self.payload_type == IN_TOTO && key.verify(encoding, signature).is_ok();
        is_signed.then_some(statement)
    }
}

/// The bytes that are signed: the pre-authentication encoding of type and payload (DSSE, `protocol.md`).
fn encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let (kind, length) = (payload_type.len(), payload.len());
    let mut encoded = format!("DSSEv1 {kind} {payload_type} {length} ").into_bytes();
    encoded.extend_from_slice(payload);
    encoded
}

/// Reads a statement whose signature was verified.
pub(super) fn read(bytes: &[u8]) -> Result<Said, Objection> {
    let what = "statement";
    let statement = json::parse(bytes, BUNDLE);
    let statement: Statement = statement.map_err(|source| Objection::Form { what, source })?;
    if !STATEMENTS.contains(&statement.kind.as_str()) {
        return Err(value("an in-toto statement", statement.kind));
    }
    if statement.predicate_type != SIGN {
        return Err(Objection::Statement(statement.predicate_type));
    }
    let [subject] = &statement.subject[..] else {
        let found = statement.subject.len().to_string();
        return Err(value("exactly 1 subject of a signature", found));
    };
    let digest = subject.digest.get("sha256");
    let digest = digest.and_then(|hex| Digest::from_hex(hex).ok());
    Ok(Said {
        image_digest: digest.ok_or_else(|| value("a subject with a SHA-256", "none".to_owned()))?,
        repository: subject.name.clone(),
    })
}
