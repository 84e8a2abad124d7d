//! Sigstore bundles of versions 0.1 to 0.3 (protobuf-specs, `sigstore_bundle.proto`), parsed strictly.

use std::collections::BTreeSet;

use content::{json, limits};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sigstore_verify::types;
use sigstore_verify::types::{
    CertificateContent, DsseEnvelope, DsseSignature, KindVersion, MediaType, MessageSignature,
    PayloadBytes, PublicKeyIdentifier, Rfc3161Timestamp, SignatureContent,
    TimestampVerificationData, TransparencyLogEntry, VerificationMaterial,
    VerificationMaterialContent, X509Certificate,
};

use crate::{Reason, Refusal, Signer, certificate, statement};

/// The largest bundle without the payload of its envelope, in bytes. With the payload, it is
/// [`limits::BUNDLE`].
pub(crate) const LIMIT: u64 = 1 << 20;

/// The most certificates in one bundle.
const CERTIFICATES: usize = 16;

/// A bundle, not yet verified: of a known version, with one signer, one content, limited evidence and nothing
/// twice.
#[derive(Clone, Debug)]
pub struct Bundle {
    inner: types::Bundle,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    media_type: String,
    verification_material: Material,
    message_signature: Option<MessageSignature>,
    dsse_envelope: Option<Envelope>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    public_key: Option<PublicKeyIdentifier>,
    certificate: Option<CertificateContent>,
    x509_certificate_chain: Option<Chain>,
    #[serde(default)]
    tlog_entries: Vec<TransparencyLogEntry>,
    timestamp_verification_data: Option<Timestamps>,
}

#[derive(Deserialize)]
struct Chain {
    #[serde(default)]
    certificates: Vec<X509Certificate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Timestamps {
    #[serde(default)]
    rfc3161_timestamps: Vec<Rfc3161Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload_type: String,
    payload: PayloadBytes,
    #[serde(default)]
    signatures: Vec<DsseSignature>,
}

impl Bundle {
    /// Parses a bundle. The JSON is that of [`json::parse_protobuf`]; base64 of both alphabets and numbers as texts are
    /// read, as in that form.
    ///
    /// # Errors
    /// The bundle is too large, not strict JSON, of another version, has not exactly one signer and one
    /// content, or contains an entry or a timestamp twice; or its envelope has not exactly one signature over a
    /// statement of 1 to [`limits::SUBJECTS`] subjects.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let size = bytes.len() as u64;
        if size > limits::BUNDLE {
            return Err(too_large(size, limits::BUNDLE));
        }
        let document = json::parse_protobuf::<Document>(bytes, limits::BUNDLE)
            .map_err(|error| Refusal::new(Reason::Json, format!("parsing bundle: {error}")))?;
        document.check_size(size)?;
        let media_type = document.media_type.parse::<MediaType>();
        let media_type = media_type
            .map_err(|error| Refusal::new(Reason::MediaType, format!("parsing bundle: {error}")))?;
        let content = content(document.message_signature, document.dsse_envelope)?;
        let material = document.verification_material.check()?;
        let bundle = Self::new(media_type, material, content);
        bundle.check_entries()?;
        Ok(bundle)
    }

    pub(crate) fn new(
        media_type: MediaType,
        material: VerificationMaterial,
        content: SignatureContent,
    ) -> Self {
        let inner = types::Bundle::new(media_type, material, content);
        Self { inner }
    }

    pub(crate) fn inner(&self) -> &types::Bundle {
        &self.inner
    }

    pub(crate) fn entries(&self) -> &[TransparencyLogEntry] {
        &self.inner.verification_material.tlog_entries
    }

    /// Whether the bundle has a log entry or a timestamp, which only a trusted root can confirm.
    pub fn has_evidence(&self) -> bool {
        let material = &self.inner.verification_material;
        let timestamps = &material.timestamp_verification_data.rfc3161_timestamps;
        !material.tlog_entries.is_empty() || !timestamps.is_empty()
    }

    /// Whether the bundle is signed with a key, not with a certificate.
    pub(crate) fn is_by_key(&self) -> bool {
        let signer = &self.inner.verification_material.content;
        matches!(signer, VerificationMaterialContent::PublicKey(_))
    }

    /// Whom the certificate names. Nothing of it is verified: anyone can write such a certificate.
    ///
    /// # Errors
    /// The bundle is signed with a key, or the certificate cannot be parsed or has not exactly one subject.
    pub fn claimed_signer(&self) -> Result<Signer, Refusal> {
        let certificate = self.inner.signing_certificate();
        let certificate = certificate.ok_or_else(|| {
            let detail = "the bundle is signed with a key, not with a certificate";
            Refusal::new(Reason::SignerKind, detail)
        })?;
        certificate::signer(certificate.as_bytes())
    }

    /// The payload of the envelope, if there is one. It can be trusted only after verification.
    pub fn payload(&self) -> Option<&[u8]> {
        match &self.inner.content {
            SignatureContent::DsseEnvelope(envelope) => Some(envelope.payload.as_bytes()),
            _ => None,
        }
    }

    /// Each entry is once in the bundle, in a log, and of strict JSON.
    fn check_entries(&self) -> Result<(), Refusal> {
        let mut seen = BTreeSet::new();
        for entry in self.entries() {
            if !seen.insert((entry.log_id.key_id.as_bytes(), entry.log_index.get())) {
                let index = entry.log_index.get();
                let detail = format!("the bundle contains log entry {index} twice");
                return Err(Refusal::new(Reason::Duplicate, detail));
            }
            self.check_entry(entry)?;
        }
        Ok(())
    }

    fn check_entry(&self, entry: &TransparencyLogEntry) -> Result<(), Refusal> {
        if let Some(missing) = self.missing(entry) {
            let index = entry.log_index.get();
            let detail = format!("no inclusion {missing} for log entry {index}");
            return Err(Refusal::new(Reason::LogMissing, detail));
        }
        json::parse::<IgnoredAny>(entry.canonicalized_body.as_bytes(), LIMIT).map_err(|error| {
            Refusal::new(Reason::LogBody, format!("parsing log entry: {error}"))
        })?;
        Ok(())
    }
}

impl Bundle {
    /// What an entry does not have that the bundle's version requires (protobuf-specs, `sigstore_rekor.proto` and
    /// `sigstore_bundle.proto`). Logs of Rekor v2 make no promises.
    fn missing(&self, entry: &TransparencyLogEntry) -> Option<&'static str> {
        let is_first = self.inner.media_type == MediaType::Bundle0_1;
        let needs_proof = !is_first || entry.kind_version == KindVersion::HashedRekordV002;
        match (&entry.inclusion_promise, &entry.inclusion_proof) {
            (None, _) if is_first => Some("promise"),
            (_, None) if needs_proof => Some("proof"),
            _ => None,
        }
    }
}

/// Whether a document that may be a bundle has a certificate, or a chain of them.
pub fn is_certified(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Peek {
        verification_material: Signer,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Signer {
        certificate: Option<IgnoredAny>,
        x509_certificate_chain: Option<IgnoredAny>,
    }
    let peek = json::parse::<Peek>(bytes, limits::BUNDLE);
    peek.is_ok_and(
        |Peek {
             verification_material: signer,
         }| { signer.certificate.is_some() || signer.x509_certificate_chain.is_some() },
    )
}

impl Document {
    /// The payload may be an SBOM; nothing else in a bundle is large.
    fn check_size(&self, size: u64) -> Result<(), Refusal> {
        let payload = self.dsse_envelope.as_ref();
        let payload = payload.map_or(0, |envelope| envelope.payload.len());
        // In base64, in the worst case with each slash escaped.
        let payload = (payload as u64).div_ceil(3) * 8;
        match size.saturating_sub(payload) > LIMIT {
            true => Err(too_large(size, LIMIT)),
            false => Ok(()),
        }
    }
}

impl Material {
    fn check(self) -> Result<VerificationMaterial, Refusal> {
        let timestamps = self.timestamp_verification_data;
        let timestamps = timestamps.map_or_else(Vec::new, |data| data.rfc3161_timestamps);
        check_count("log entries", self.tlog_entries.len(), limits::EVIDENCE)?;
        check_count("timestamps", timestamps.len(), limits::EVIDENCE)?;
        let tokens = timestamps.iter().map(|one| one.signed_timestamp.as_bytes());
        if tokens.collect::<BTreeSet<_>>().len() < timestamps.len() {
            let detail = "the bundle contains a timestamp twice";
            return Err(Refusal::new(Reason::Duplicate, detail));
        }
        let signer = signer(
            self.public_key,
            self.certificate,
            self.x509_certificate_chain,
        )?;
        let timestamps = TimestampVerificationData::new(timestamps);
        Ok(VerificationMaterial::new(signer)
            .with_tlog_entries(self.tlog_entries)
            .with_timestamp_verification_data(timestamps))
    }
}

fn signer(
    key: Option<PublicKeyIdentifier>,
    certificate: Option<CertificateContent>,
    chain: Option<Chain>,
) -> Result<VerificationMaterialContent, Refusal> {
    match (key, certificate, chain) {
        (Some(key), None, None) => Ok(VerificationMaterialContent::PublicKey(key)),
        (None, Some(certificate), None) => {
            Ok(VerificationMaterialContent::Certificate(certificate))
        }
        (None, None, Some(Chain { certificates })) => {
            check_count("certificates", certificates.len(), CERTIFICATES)?;
            Ok(VerificationMaterialContent::X509CertificateChain { certificates })
        }
        _ => {
            let detail = "expected exactly one public key, certificate or chain of certificates";
            Err(Refusal::new(Reason::Structure, detail))
        }
    }
}

fn content(
    message: Option<MessageSignature>,
    envelope: Option<Envelope>,
) -> Result<SignatureContent, Refusal> {
    match (message, envelope) {
        (Some(message), None) => Ok(SignatureContent::MessageSignature(message)),
        (None, Some(envelope)) => Ok(SignatureContent::DsseEnvelope(envelope.check()?)),
        _ => {
            let detail = "expected exactly one message signature or envelope";
            Err(Refusal::new(Reason::Structure, detail))
        }
    }
}

impl Envelope {
    /// "During verification a client MUST reject an envelope if the number of signatures is not equal
    /// to one" (`sigstore_bundle.proto`, `dsse_envelope`).
    fn check(self) -> Result<DsseEnvelope, Refusal> {
        let count = self.signatures.len();
        let Ok([signature]) = <[DsseSignature; 1]>::try_from(self.signatures) else {
            let detail = format!("expected one signature in the envelope, found {count}");
            return Err(Refusal::new(Reason::EnvelopeSignatures, detail));
        };
        statement::check(&self.payload_type, self.payload.as_bytes())?;
        Ok(DsseEnvelope::new(
            self.payload_type,
            self.payload,
            signature,
        ))
    }
}

fn check_count(what: &str, count: usize, most: usize) -> Result<(), Refusal> {
    match count > most {
        true => {
            let detail = format!("expected at most {most} {what}, found {count}");
            Err(Refusal::new(Reason::Count, detail))
        }
        false => Ok(()),
    }
}

fn too_large(size: u64, limit: u64) -> Refusal {
    let detail = format!("the bundle has {size} bytes, more than the limit of {limit}");
    Refusal::new(Reason::Size, detail)
}
