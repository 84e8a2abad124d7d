use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::{Digest, json};
use serde_json::{Value, json};
use sigstore_verify::types::TransparencyLogEntry;

use super::{ANSWER, Invalid};

/// An entry of a transparency log, with its proof. It is not verified.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEntry(TransparencyLogEntry);

/// The request to log a signature of a certified key on P-256 over the bytes `signed`, in JSON (rekor-tiles,
/// `rekor_service.proto`, `CreateEntryRequest`). The log gets the digest of what is signed, not the bytes.
pub fn log_request(signed: &[u8], signature: &[u8], certificate: &[u8]) -> Vec<u8> {
    let request = json!({
        "hashedRekordRequestV002": {
            "digest": STANDARD.encode(Digest::of(signed).as_bytes()),
            "signature": {
                "content": STANDARD.encode(signature),
                "verifier": {
                    "x509Certificate": { "rawBytes": STANDARD.encode(certificate) },
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                },
            },
        },
    });
    request.to_string().into_bytes()
}

impl LogEntry {
    /// Reads the answer of a log: the entry (protobuf-specs, `sigstore_rekor.proto`, `TransparencyLogEntry`).
    ///
    /// # Errors
    /// It is larger than [`ANSWER`], not strict JSON, or of an unknown kind.
    pub fn parse(answer: &[u8]) -> Result<Self, Invalid> {
        let entry = json::parse(answer, ANSWER);
        entry
            .map(Self)
            .map_err(|error| Invalid::new(format!("parsing the log's answer: {error}")))
    }

    pub(super) fn to_json(&self) -> Result<Value, Invalid> {
        serde_json::to_value(&self.0).map_err(|error| Invalid::new(error.to_string()))
    }
}
