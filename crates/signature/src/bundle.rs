//! Sigstore bundle v0.3 that contains an envelope signed with a key, not with a certificate
//! (protobuf-specs, `sigstore_bundle.proto`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::{Digest, json, limits};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::envelope::{Envelope, Wire};
use crate::{Error, PublicKey};

/// The media type of a bundle, and the artifact type of the manifest that carries it.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// The other spelling of the media type (`sigstore_bundle.proto`, `media_type`).
const MEDIA_TYPE_PARAMETER: &str = "application/vnd.dev.sigstore.bundle+json;version=0.3";

/// A bundle with an envelope. The key that it names is only a hint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bundle {
    envelope: Envelope,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    media_type: String,
    verification_material: Material,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dsse_envelope: Option<Wire>,
    #[serde(default, skip_serializing)]
    message_signature: Option<IgnoredAny>,
}

// Members that are only counted or tested for presence are not kept: a megabyte of them would need ten in
// memory.
#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<Hint>,
    #[serde(default, skip_serializing)]
    certificate: Option<IgnoredAny>,
    #[serde(default, skip_serializing)]
    x509_certificate_chain: Option<IgnoredAny>,
    #[serde(default, skip_serializing)]
    tlog_entries: Vec<IgnoredAny>,
    #[serde(default, skip_serializing)]
    timestamp_verification_data: Option<Timestamps>,
}

#[derive(Deserialize, Serialize)]
struct Hint {
    #[serde(default, deserialize_with = "json::null_is_default")]
    hint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Timestamps {
    #[serde(default)]
    rfc3161_timestamps: Vec<IgnoredAny>,
}

/// What a bundle is to be verified with. It is not signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignedWith {
    /// A key, and its ID if the bundle has it where cosign writes it.
    Key(Option<Digest>),
    /// A certificate.
    Certificate,
}

/// What a bundle of any content says that it is to be verified with; `None` if it says neither or cannot be parsed.
pub fn signed_with(bytes: &[u8]) -> Option<SignedWith> {
    let document = json::parse::<Document>(bytes, limits::BUNDLE).ok()?;
    let material = document.verification_material;
    match (
        material.public_key,
        material.certificate,
        material.x509_certificate_chain,
    ) {
        (Some(key), None, None) => {
            let id = STANDARD
                .decode(key.hint)
                .ok()
                .and_then(|id| id.try_into().ok());
            Some(SignedWith::Key(id.map(Digest::from_bytes)))
        }
        (None, Some(_), None) | (None, None, Some(_)) => Some(SignedWith::Certificate),
        _ => None,
    }
}

impl Bundle {
    /// A bundle that contains `envelope`.
    pub fn new(envelope: Envelope) -> Self {
        Self { envelope }
    }

    /// Parses a bundle. Log entries and timestamps are limited in number and otherwise ignored: a signature
    /// by a key that a policy names needs neither.
    ///
    /// # Errors
    /// The bundle is larger than [`limits::BUNDLE`], not strict JSON, of another version, signed with a
    /// certificate, or without an envelope; or an error of [`Envelope::parse`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let document = json::parse::<Document>(bytes, limits::BUNDLE);
        let document = document.map_err(|source| Error::document("bundle", &source))?;
        if ![MEDIA_TYPE, MEDIA_TYPE_PARAMETER].contains(&document.media_type.as_str()) {
            return Err(Error::value(
                "media type of bundle",
                MEDIA_TYPE,
                &document.media_type,
            ));
        }
        document.verification_material.check()?;
        match (document.dsse_envelope, document.message_signature) {
            (Some(envelope), None) => Self::of_one_signature(Envelope::from_wire(envelope)?),
            (Some(_), Some(_)) => Err(Error::value(
                "content of bundle",
                "an envelope",
                "also a signature",
            )),
            (None, _) => Err(Error::value("content of bundle", "an envelope", "none")),
        }
    }

    /// "During verification a client MUST reject an envelope if the number of signatures is not equal
    /// to one" (`sigstore_bundle.proto`, `dsse_envelope`).
    fn of_one_signature(envelope: Envelope) -> Result<Self, Error> {
        match envelope.count() {
            1 => Ok(Self::new(envelope)),
            count => Err(Error::value(
                "signatures in bundle",
                "exactly 1",
                &count.to_string(),
            )),
        }
    }

    /// The bundle as canonical JSON. The hint is the base64 of the key's digest, as cosign writes it.
    ///
    /// # Errors
    /// None in practice: a bundle contains only text.
    pub fn to_bytes(&self, key: &PublicKey) -> Result<Vec<u8>, Error> {
        let document = Document {
            media_type: MEDIA_TYPE.to_owned(),
            verification_material: Material {
                public_key: Some(Hint {
                    hint: STANDARD.encode(key.key_id().as_bytes()),
                }),
                ..Material::default()
            },
            dsse_envelope: Some(self.envelope.to_wire()),
            message_signature: None,
        };
        json::canonical(&document).map_err(|source| Error::document("bundle", &source))
    }

    /// The envelope, not yet verified.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }
}

impl Material {
    fn check(&self) -> Result<(), Error> {
        let chain = &self.x509_certificate_chain;
        let found = match (&self.public_key, &self.certificate, chain) {
            (Some(_), None, None) => return self.check_evidence(),
            (None, None, None) => "nothing",
            (None, ..) => "a certificate",
            (Some(_), ..) => "also a certificate",
        };
        Err(Error::value(
            "verification material of bundle",
            "a public key",
            found,
        ))
    }

    fn check_evidence(&self) -> Result<(), Error> {
        let timestamps = self.timestamp_verification_data.as_ref();
        for (what, count) in [
            ("log entries of bundle", self.tlog_entries.len()),
            (
                "timestamps of bundle",
                timestamps.map_or(0, |data| data.rfc3161_timestamps.len()),
            ),
        ] {
            if count > limits::EVIDENCE {
                return Err(Error::value(
                    what,
                    &format!("at most {}", limits::EVIDENCE),
                    &count.to_string(),
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::PrivateKey;
    use crate::envelope::pae;

    #[test]
    fn comes_back_as_it_was() {
        let key = PrivateKey::generate().unwrap();
        let signature = key.sign(&pae("t", b"p")).unwrap();
        let bundle = Bundle::new(Envelope::new("t", b"p".to_vec(), "", signature));
        let parsed = Bundle::parse(&bundle.to_bytes(key.public()).unwrap()).unwrap();
        assert_eq!(parsed, bundle);
        assert_eq!(parsed.envelope().verify(key.public()).unwrap(), b"p");
    }

    /// What cosign 3.1.3 wrote for `sign --key` without a log.
    const COSIGN: &str = r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"1XKF+nVL7wgM5nfa4tv53jnOJY0Jy6CgzlDDDxK8F6M="}},"dsseEnvelope":{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEiLCJzdWJqZWN0IjpbeyJkaWdlc3QiOnsic2hhMjU2IjoiOWY3ODNiOTMyMjQzMzkzZDhhMzYxZDI0MDk1NjE3OGNiNjk2YjE0Yzc0MzY4NmUwZGMxOTEyMzIyMDFjY2Y3MCJ9LCJhbm5vdGF0aW9ucyI6e319XSwicHJlZGljYXRlVHlwZSI6Imh0dHBzOi8vc2lnc3RvcmUuZGV2L2Nvc2lnbi9zaWduL3YxIiwicHJlZGljYXRlIjp7fX0=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"MEUCIQD7PShxStUXFYl5aFNUHCB/lbSm2zGMf6AIOaE/u+rROQIgUQz1kKMwdknH6NSDKFNX6IGiqfVi5wO2rQ0RxVunOnc="}]}}"#;
    const COSIGN_KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEKvrrNqimDgqtzSph5TE+LZOavEqd
Frsp+2O8ViKZpnQmOq4KfrUsLnoG1IaQzvFmC/jeNyU5p+NaEsKCrtdAVw==
-----END PUBLIC KEY-----
";

    #[test]
    fn is_what_cosign_writes() {
        let key = PublicKey::from_pem(COSIGN_KEY).unwrap();
        let bundle = Bundle::parse(COSIGN.as_bytes()).unwrap();
        let payload = bundle.envelope().verify(&key).unwrap();
        assert!(payload.starts_with(br#"{"_type":"https://in-toto.io/Statement/v1","subject""#));
        // Its members are in another order; its values are ours, the hint included.
        let [ours, theirs] = [&bundle.to_bytes(&key).unwrap()[..], COSIGN.as_bytes()]
            .map(|bytes| json::parse::<Value>(bytes, 10_000).unwrap());
        assert_eq!(ours, theirs);
    }

    #[test]
    fn says_what_it_is_signed_with() {
        let key = PublicKey::from_pem(COSIGN_KEY).unwrap().key_id();
        let with = |to: &str| {
            let hint = r#""publicKey":{"hint":"1XKF+nVL7wgM5nfa4tv53jnOJY0Jy6CgzlDDDxK8F6M="}"#;
            assert_eq!(COSIGN.matches(hint).count(), 1);
            signed_with(COSIGN.replace(hint, to).as_bytes())
        };
        assert_eq!(
            signed_with(COSIGN.as_bytes()),
            Some(SignedWith::Key(Some(key)))
        );
        let unnamed = with(r#""publicKey":{"hint":"mine"}"#);
        assert_eq!(unnamed, Some(SignedWith::Key(None)));
        for certificate in [r#""certificate":{}"#, r#""x509CertificateChain":{}"#] {
            assert_eq!(with(certificate), Some(SignedWith::Certificate));
        }
        assert_eq!(with(r#""publicKey":{},"certificate":{}"#), None);
        assert_eq!(signed_with(b"{}"), None);
    }

    #[test]
    fn reads_evidence_that_it_does_not_need() {
        let tlog = r#"{"tlogEntries":[{"logIndex":"1"}],"timestampVerificationData":{"rfc3161Timestamps":[{}]},"#;
        let logged = COSIGN.replace(r#"{"publicKey"#, &format!(r#"{tlog}"publicKey"#));
        assert!(Bundle::parse(logged.as_bytes()).is_ok());
        let entries = vec!["{}"; limits::EVIDENCE + 1].join(",");
        let flood = logged.replace(r#"{"logIndex":"1"}"#, &entries);
        let error = Bundle::parse(flood.as_bytes()).unwrap_err().to_string();
        let expected = format!(
            "log entries of bundle: expected at most {}, found {}",
            limits::EVIDENCE,
            limits::EVIDENCE + 1
        );
        assert!(error.contains(&expected), "{error}");
    }

    #[test]
    fn refuses_what_is_no_envelope_signed_with_a_key() {
        let (key, envelope) = (r#""publicKey":{"#, r#""dsseEnvelope":{"#);
        for (from, to, reason) in [
            (
                "bundle.v0.3+json",
                "bundle.v0.2+json",
                "media type of bundle",
            ),
            (
                "bundle.v0.3+json",
                "bundle+json;version=0.1",
                "media type of bundle",
            ),
            (key, r#""certificate":{"#, "found a certificate"),
            (
                key,
                r#""certificate":{},"publicKey":{"#,
                "found also a certificate",
            ),
            (
                key,
                r#""x509CertificateChain":{},"publicKey":{"#,
                "found also a certificate",
            ),
            (key, r#""other":{"#, "found nothing"),
            (
                envelope,
                r#""messageSignature":{"#,
                "expected an envelope, found none",
            ),
            (
                envelope,
                r#""messageSignature":{},"dsseEnvelope":{"#,
                "also a signature",
            ),
            (
                r#""signatures":[{"#,
                r#""signatures":[{"sig":""},{"#,
                "expected exactly 1, found 2",
            ),
            (
                r#""signatures":[{"#,
                r#""signatures":[],"other":[{"#,
                "found 0",
            ),
            (
                r#""payloadType""#,
                r#""payload":"","payloadType""#,
                "\"payload\"",
            ),
        ] {
            assert_eq!(COSIGN.matches(from).count(), 1, "{from}");
            let error = Bundle::parse(COSIGN.replace(from, to).as_bytes());
            let error = error.err().unwrap().to_string();
            assert!(error.contains(reason), "{to}: {error}");
        }
    }
}
