//! Sigstore bundle v0.3 around an envelope that is signed with a key of one's own
//! (protobuf-specs, `sigstore_bundle.proto`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::{json, limits};
use serde::{Deserialize, Serialize};

use crate::envelope::{Envelope, Wire};
use crate::{Error, PublicKey};

/// Media type, and artifact type of the manifest that carries a bundle.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// A bundle with an envelope inside. Where the key is named in it, that is a hint and no more.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bundle {
    envelope: Envelope,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    media_type: String,
    verification_material: Material,
    dsse_envelope: Wire,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    public_key: Hint,
}

#[derive(Deserialize, Serialize)]
struct Hint {
    hint: String,
}

impl Bundle {
    /// A bundle around `envelope`.
    pub fn new(envelope: Envelope) -> Self {
        Self { envelope }
    }

    /// Parses a bundle.
    ///
    /// # Errors
    /// Larger than [`limits::BUNDLE`], not strict JSON, another version, signed with a certificate, no
    /// envelope inside, or as [`Envelope::parse`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let document = json::parse::<Document>(bytes, limits::BUNDLE);
        let document = document.map_err(|source| Error::Document {
            what: "bundle",
            source,
        })?;
        if document.media_type != MEDIA_TYPE {
            return Err(Error::Value {
                what: "media type of bundle",
                expected: MEDIA_TYPE.to_owned(),
                found: document.media_type,
            });
        }
        Ok(Self {
            envelope: Envelope::from_wire(document.dsse_envelope)?,
        })
    }

    /// The bundle as canonical JSON; the hint is the base64 of the key's digest, as cosign has it.
    ///
    /// # Errors
    /// None that can happen; a bundle holds text only.
    pub fn to_bytes(&self, key: &PublicKey) -> Result<Vec<u8>, Error> {
        let document = Document {
            media_type: MEDIA_TYPE.to_owned(),
            verification_material: Material {
                public_key: Hint {
                    hint: STANDARD.encode(key.key_id().as_bytes()),
                },
            },
            dsse_envelope: self.envelope.to_wire(),
        };
        json::canonical(&document).map_err(|source| Error::Document {
            what: "bundle",
            source,
        })
    }

    /// The envelope, not yet verified.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PrivateKey;
    use crate::envelope::pae;

    #[test]
    fn comes_back_as_it_was() {
        let key = PrivateKey::generate().unwrap();
        let signature = key.sign(&pae("t", b"p"));
        let bundle = Bundle::new(Envelope::new("t", b"p".to_vec(), "", signature));
        let parsed = Bundle::parse(&bundle.to_bytes(key.public()).unwrap()).unwrap();
        assert_eq!(parsed, bundle);
        assert_eq!(parsed.envelope().verify(key.public()).unwrap(), b"p");
    }

    #[test]
    fn refuses_another_version() {
        let text = r#"{"mediaType":"application/vnd.dev.sigstore.bundle+json;version=0.1","verificationMaterial":{"publicKey":{"hint":""}},"dsseEnvelope":{"payload":"","payloadType":"","signatures":[{"sig":""}]}}"#;
        assert!(matches!(
            Bundle::parse(text.as_bytes()),
            Err(Error::Value { .. })
        ));
    }
}
