use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::json;
use serde_json::{Value, json};
use signature::bundle::MEDIA_TYPE;
use signature::envelope::Envelope;

use super::{Invalid, LogEntry, Timestamp};

/// What a signature is verified with: the certificate of its key, and when it existed.
#[derive(Clone, Debug, PartialEq)]
pub struct Material {
    /// The certificate, in DER.
    pub certificate: Vec<u8>,
    /// The entries of logs.
    pub entries: Vec<LogEntry>,
    /// The timestamps of authorities.
    pub timestamps: Vec<Timestamp>,
}

impl Material {
    /// A bundle of version 0.3 with this envelope, as canonical JSON. It is not verified.
    ///
    /// # Errors
    /// None in practice: a bundle contains only text.
    pub fn bundle(&self, envelope: &Envelope) -> Result<Vec<u8>, Invalid> {
        let written =
            |error: &dyn std::fmt::Display| Invalid::new(format!("writing bundle: {error}"));
        let envelope = envelope.to_bytes().map_err(|error| written(&error))?;
        let envelope: Value = serde_json::from_slice(&envelope).map_err(|error| written(&error))?;
        let entries = self.entries.iter().map(LogEntry::to_json);
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        let timestamps = self
            .timestamps
            .iter()
            .map(|timestamp| json!({ "signedTimestamp": STANDARD.encode(timestamp.as_bytes()) }));
        let bundle = json!({
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {
                "certificate": { "rawBytes": STANDARD.encode(&self.certificate) },
                "tlogEntries": entries,
                "timestampVerificationData": {
                    "rfc3161Timestamps": timestamps.collect::<Vec<_>>(),
                },
            },
            "dsseEnvelope": envelope,
        });
        json::canonical(&bundle).map_err(|error| written(&error))
    }
}
