//! DSSE: an envelope that contains a payload, signed together with the payload's type
//! (secure-systems-lab/dsse, protocol.md and envelope.md).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use content::{json, limits};
use serde::{Deserialize, Serialize};

use crate::scheme::Message;
use crate::{Error, PublicKey};

/// The payload type of in-toto statements.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

/// The bytes that are signed: the pre-authentication encoding of type and payload (DSSE, protocol.md).
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut encoded = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    )
    .into_bytes();
    encoded.extend_from_slice(payload);
    encoded
}

/// The type and the payload in their pre-authentication encoding.
///
/// # Errors
/// The bytes are larger than [`limits::STATEMENT`], or not such an encoding.
pub fn parse_pae(bytes: &[u8]) -> Result<(String, Vec<u8>), Error> {
    let size = bytes.len() as u64;
    if size > limits::STATEMENT {
        let limit = limits::STATEMENT;
        return Err(Error::Invalid(format!(
            "parsing DSSE encoding: expected at most {limit} bytes, found {size}"
        )));
    }
    split_pae(bytes).ok_or_else(|| Error::Invalid("parsing DSSE encoding: invalid".to_owned()))
}

fn split_pae(bytes: &[u8]) -> Option<(String, Vec<u8>)> {
    let rest = bytes.strip_prefix(b"DSSEv1 ")?;
    let (kind, rest) = field(rest)?;
    let (payload, rest) = field(rest.strip_prefix(b" ")?)?;
    let kind = String::from_utf8(kind.to_vec()).ok()?;
    // Lengths have one spelling: no sign and no leading zero.
    let is_canonical = rest.is_empty() && pae(&kind, payload) == bytes;
    is_canonical.then(|| (kind, payload.to_vec()))
}

/// `LEN SP field`, and what follows.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = bytes.iter().position(|&byte| byte == b' ')?;
    let length = std::str::from_utf8(&bytes[..space]).ok()?.parse().ok()?;
    bytes[space + 1..].split_at_checked(length)
}

/// An envelope with one or more signatures, each over the type and the payload.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Envelope {
    payload_type: String,
    payload: Vec<u8>,
    signatures: Vec<Signature>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Signature {
    bytes: Vec<u8>,
    key_id: String,
}

/// The most signatures in one envelope. Each is verified with each key.
const SIGNATURES: usize = 32;

/// The envelope as JSON.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Wire {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    #[serde(deserialize_with = "json::at_most::<SIGNATURES, _, _>")]
    signatures: Vec<WireSignature>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct WireSignature {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyid: Option<String>,
    sig: String,
}

impl Envelope {
    /// Creates an envelope. `signature` is over [`pae`] of the payload's type and the payload. The key ID is
    /// a hint and never trusted.
    pub fn new(payload_type: &str, payload: Vec<u8>, key_id: &str, signature: Vec<u8>) -> Self {
        let signature = Signature {
            bytes: signature,
            key_id: key_id.to_owned(),
        };
        Self {
            payload_type: payload_type.to_owned(),
            payload,
            signatures: vec![signature],
        }
    }

    /// Parses an envelope.
    ///
    /// # Errors
    /// The envelope is larger than [`limits::STATEMENT`], not strict JSON, has no signature or more than 32, or
    /// contains invalid base64.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let wire = json::parse(bytes, limits::STATEMENT);
        Self::from_wire(wire.map_err(|source| Error::document("envelope", &source))?)
    }

    pub(crate) fn from_wire(wire: Wire) -> Result<Self, Error> {
        if wire.signatures.is_empty() {
            let expected = format!("1 to {SIGNATURES}");
            return Err(Error::value("signatures of envelope", &expected, "0"));
        }
        let signatures = wire.signatures.into_iter().map(Signature::from_wire);
        Ok(Self {
            payload: decode("payload of envelope", &wire.payload)?,
            signatures: signatures.collect::<Result<_, _>>()?,
            payload_type: wire.payload_type,
        })
    }

    pub(crate) fn to_wire(&self) -> Wire {
        Wire {
            payload: STANDARD.encode(&self.payload),
            payload_type: self.payload_type.clone(),
            signatures: self.signatures.iter().map(Signature::to_wire).collect(),
        }
    }

    /// The number of signatures, by any key.
    pub(crate) fn count(&self) -> usize {
        self.signatures.len()
    }

    /// The envelope as canonical JSON.
    ///
    /// # Errors
    /// None in practice: an envelope contains only text.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        json::canonical(&self.to_wire()).map_err(|source| Error::document("envelope", &source))
    }

    /// The payload's type. It can be trusted only after [`Envelope::verify`].
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The envelope with the signature by `key` alone.
    ///
    /// # Errors
    /// No signature is by `key`.
    pub fn signed_by(&self, key: &PublicKey) -> Result<Self, Error> {
        Ok(Self {
            payload_type: self.payload_type.clone(),
            payload: self.payload.clone(),
            signatures: vec![self.signature_by(key)?.clone()],
        })
    }

    /// Finds a valid signature by `key` and returns the payload, which is not accessible otherwise. Signatures
    /// by other keys, valid or not, have no effect (DSSE, protocol.md).
    ///
    /// # Errors
    /// No signature is by `key`.
    pub fn verify(&self, key: &PublicKey) -> Result<&[u8], Error> {
        self.signature_by(key)?;
        Ok(&self.payload)
    }

    fn signature_by(&self, key: &PublicKey) -> Result<&Signature, Error> {
        let signed = pae(&self.payload_type, &self.payload);
        let message = Message::new(&signed);
        let mut signatures = self.signatures.iter();
        let own = signatures.find(|signature| key.verifies(&message, &signature.bytes));
        own.ok_or_else(|| Error::Signature { key: key.key_id() })
    }
}

impl Signature {
    fn from_wire(wire: WireSignature) -> Result<Self, Error> {
        Ok(Self {
            bytes: decode("signature of envelope", &wire.sig)?,
            key_id: wire.keyid.unwrap_or_default(),
        })
    }

    fn to_wire(&self) -> WireSignature {
        WireSignature {
            keyid: Some(self.key_id.clone()).filter(|key_id| !key_id.is_empty()),
            sig: STANDARD.encode(&self.bytes),
        }
    }
}

/// Decodes base64 of both alphabets, as verifiers must (DSSE, envelope.md), with or without padding,
/// which some writers omit.
fn decode(what: &'static str, text: &str) -> Result<Vec<u8>, Error> {
    let url_safe = text.contains(['-', '_']);
    let engine = match (url_safe, text.ends_with('=')) {
        (false, true) => STANDARD,
        (false, false) => STANDARD_NO_PAD,
        (true, true) => URL_SAFE,
        (true, false) => URL_SAFE_NO_PAD,
    };
    let decoded = engine.decode(text);
    decoded.map_err(|_| Error::Invalid(format!("parsing {what}: not base64")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PrivateKey;

    fn signed(key: &PrivateKey) -> Envelope {
        let signature = key.sign(&pae("type", b"payload")).unwrap();
        Envelope::new("type", b"payload".to_vec(), "", signature)
    }

    #[test]
    fn encodes_like_the_specification() {
        let encoded = pae("http://example.com/HelloWorld", b"hello world");
        assert_eq!(
            encoded,
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn reads_the_encoding_back() {
        for (kind, payload) in [("t", &b"payload"[..]), ("", b""), ("a b", b" 3 c\xff")] {
            let (found, body) = parse_pae(&pae(kind, payload)).unwrap();
            assert_eq!((found.as_str(), body.as_slice()), (kind, payload));
        }
        for text in [
            "",
            "DSSEv1",
            "DSSEv1 1 t 1",
            "DSSEv1 1 t 2 p",
            "DSSEv1 1 t 1 pp",
            "DSSEv1 01 t 1 p",
            "DSSEv1 1 t +1 p",
            "DSSEv1 -1 t 1 p",
            "DSSEv2 1 t 1 p",
            "DSSEv1 1 t  1 p",
            "DSSEv1 18446744073709551615 t 1 p",
        ] {
            let error = parse_pae(text.as_bytes()).unwrap_err().to_string();
            assert_eq!(error, "parsing DSSE encoding: invalid", "{text}");
        }
    }

    #[test]
    fn keeps_one_signature() {
        let [one, two, other] = [(); 3].map(|()| PrivateKey::generate().unwrap());
        let mut envelope = signed(&one);
        envelope.signatures.extend(signed(&two).signatures);
        let kept = envelope.signed_by(two.public()).unwrap();
        assert_eq!(kept.count(), 1);
        assert_eq!(kept.verify(two.public()).unwrap(), b"payload");
        assert!(kept.verify(one.public()).is_err());
        assert!(envelope.signed_by(other.public()).is_err());
    }

    #[test]
    fn gives_the_payload_to_the_right_key_only() {
        let key = PrivateKey::generate().unwrap();
        let other = PrivateKey::generate().unwrap();
        let envelope = Envelope::parse(&signed(&key).to_bytes().unwrap()).unwrap();
        assert_eq!(envelope.verify(key.public()).unwrap(), b"payload");
        let error = envelope.verify(other.public()).unwrap_err();
        let wrong = other.public().key_id();
        assert!(
            matches!(error, Error::Signature { key } if key == wrong),
            "{error}"
        );
    }

    #[test]
    fn the_type_is_signed_too() {
        let key = PrivateKey::generate().unwrap();
        let mut envelope = signed(&key);
        envelope.payload_type = "typ".to_owned();
        envelope.payload = b"epayload".to_vec();
        let error = envelope.verify(key.public()).unwrap_err();
        assert!(matches!(error, Error::Signature { .. }), "{error}");
    }

    #[test]
    fn reads_other_encodings() {
        for (payload, keyid) in [
            ("_-8=", "null"),
            ("_-8", "\"a\""),
            ("/+8=", "\"\""),
            ("/+8", "null"),
        ] {
            let text = format!(
                r#"{{"payload":"{payload}","payloadType":"t","signatures":[{{"sig":"","keyid":{keyid}}}]}}"#
            );
            assert_eq!(
                Envelope::parse(text.as_bytes()).unwrap().payload,
                [0xff, 0xef]
            );
        }
        for payload in ["_+8=", "/+8==", "/+9=", " /+8="] {
            let text = format!(
                r#"{{"payload":"{payload}","payloadType":"t","signatures":[{{"sig":""}}]}}"#
            );
            let error = Envelope::parse(text.as_bytes()).err().unwrap();
            assert_eq!(error.to_string(), "parsing payload of envelope: not base64");
        }
    }

    #[test]
    fn verifies_with_each_key_that_signed() {
        let [one, two, other] = [(); 3].map(|()| PrivateKey::generate().unwrap());
        let mut envelope = signed(&one);
        envelope.signatures.extend(signed(&two).signatures);
        let mut envelope = Envelope::parse(&envelope.to_bytes().unwrap()).unwrap();
        assert_eq!(envelope.verify(one.public()).unwrap(), b"payload");
        assert_eq!(envelope.verify(two.public()).unwrap(), b"payload");
        let unsigned = |envelope: &Envelope, by: &PrivateKey| {
            let error = envelope.verify(by.public()).unwrap_err();
            let wrong = by.public().key_id();
            assert!(
                matches!(error, Error::Signature { key } if key == wrong),
                "{error}"
            );
        };
        unsigned(&envelope, &other);
        envelope.signatures[0].bytes = b"another scheme".to_vec();
        unsigned(&envelope, &one);
        assert_eq!(envelope.verify(two.public()).unwrap(), b"payload");
    }

    #[test]
    fn has_a_signature_and_not_too_many() {
        for (count, accepted) in [
            (0, false),
            (1, true),
            (SIGNATURES, true),
            (SIGNATURES + 1, false),
        ] {
            let signatures = vec![serde_json::json!({"sig": "AA=="}); count];
            let text =
                serde_json::json!({"payload": "", "payloadType": "t", "signatures": signatures});
            let error = match Envelope::parse(text.to_string().as_bytes()) {
                Ok(_) => {
                    assert!(accepted, "{count}");
                    continue;
                }
                Err(error) => error.to_string(),
            };
            let reason = match count {
                0 => format!("signatures of envelope: expected 1 to {SIGNATURES}, found 0"),
                _ => format!("{SIGNATURES}"),
            };
            assert!(!accepted && error.contains(&reason), "{count}: {error}");
        }
    }
}
