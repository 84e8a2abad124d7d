//! Signatures and attestations in cosign's older layout, as bundles of version 0.1: the evidence is the same,
//! but lies in annotations of a layer (cosign, `specs/SIGNATURE_SPEC.md`, `specs/ATTESTATION_SPEC.md` and
//! `pkg/oci/static/signature.go`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::json;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::bundle::{Bundle, LIMIT};
use crate::{Reason, Refusal};

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle+json;version=0.1";
/// The end of a block in PEM.
const END: &str = "-----END CERTIFICATE-----";
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// The annotations of a layer that holds a signature or an attestation, as texts of the manifest.
#[derive(Clone, Copy, Debug)]
pub struct Annotations<'a> {
    /// `dev.cosignproject.cosign/signature`: the signature in base64; empty for an attestation.
    pub signature: Option<&'a str>,
    /// `dev.sigstore.cosign/certificate`: the certificate in PEM; `None` for a signature with a key.
    pub certificate: Option<&'a str>,
    /// `dev.sigstore.cosign/chain`: the authorities above the certificate in PEM.
    pub chain: Option<&'a str>,
    /// `dev.sigstore.cosign/bundle`: the promise of the log, in JSON.
    pub promise: Option<&'a str>,
    /// `dev.sigstore.cosign/rfc3161timestamp`: a timestamp over the signature, in JSON.
    pub timestamp: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Promise {
    signed_entry_timestamp: String,
    payload: Entry,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    body: String,
    integrated_time: i64,
    log_index: u64,
    #[serde(rename = "logID")]
    log_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    api_version: String,
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Timestamp {
    #[serde(rename = "SignedRFC3161Timestamp")]
    token: String,
}

/// The bundle of a layer with a simple-signing payload. What it signs is the payload itself.
///
/// # Errors
/// An annotation is missing or malformed, or an error of [`Bundle::parse`].
pub fn signature(annotations: &Annotations<'_>) -> Result<Bundle, Refusal> {
    let signature = annotations.signature.filter(|text| !text.is_empty());
    let signature = signature.ok_or_else(|| malformed("signature", "it is missing"))?;
    let timestamp = annotations.timestamp.map(timestamp).transpose()?;
    let material = material(annotations, timestamp)?;
    parse(&json!({
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": material,
        "messageSignature": { "signature": signature },
    }))
}

/// The bundle of a layer with an envelope. A timestamp of such a layer is over the envelope, where a bundle
/// has one over the signature; it is left out, so the evidence must contain a promise of the log.
///
/// # Errors
/// An annotation or the envelope is malformed, or an error of [`Bundle::parse`].
pub fn attestation(envelope: &[u8], annotations: &Annotations<'_>) -> Result<Bundle, Refusal> {
    let envelope: Value = json::parse(envelope, content::limits::STATEMENT)
        .map_err(|error| Refusal::new(Reason::Json, format!("parsing envelope: {error}")))?;
    let material = material(annotations, None)?;
    parse(&json!({
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": material,
        "dsseEnvelope": envelope,
    }))
}

fn parse(bundle: &Value) -> Result<Bundle, Refusal> {
    Bundle::parse(bundle.to_string().as_bytes())
}

fn material(annotations: &Annotations<'_>, timestamp: Option<String>) -> Result<Value, Refusal> {
    let mut material = match annotations.certificate {
        Some(certificate) => chain(certificate, annotations.chain)?,
        None => json!({ "publicKey": { "hint": "" } }),
    };
    if let Some(promise) = annotations.promise {
        material["tlogEntries"] = json!([entry(promise)?]);
    }
    if let Some(token) = timestamp {
        material["timestampVerificationData"] =
            json!({ "rfc3161Timestamps": [{ "signedTimestamp": token }] });
    }
    Ok(material)
}

fn chain(certificate: &str, above: Option<&str>) -> Result<Value, Refusal> {
    let mut all = certificates("certificate", certificate)?;
    if all.len() != 1 {
        return Err(malformed("certificate", "expected one certificate"));
    }
    all.extend(certificates("chain", above.unwrap_or_default())?);
    Ok(json!({ "x509CertificateChain": { "certificates": all } }))
}

fn entry(promise: &str) -> Result<Value, Refusal> {
    let promise: Promise = json::parse(promise.as_bytes(), LIMIT)
        .map_err(|error| malformed("bundle", &error.to_string()))?;
    let entry = promise.payload;
    let body = STANDARD.decode(&entry.body);
    let body = body.map_err(|_| malformed("bundle", "the body is not base64"))?;
    let body: Body =
        json::parse(&body, LIMIT).map_err(|error| malformed("bundle", &error.to_string()))?;
    let log = hex::decode(&entry.log_id);
    let log = log.map_err(|_| malformed("bundle", "the log ID is not hex"))?;
    Ok(json!({
        "logIndex": entry.log_index.to_string(),
        "logId": { "keyId": STANDARD.encode(log) },
        "kindVersion": { "kind": body.kind, "version": body.api_version },
        "integratedTime": entry.integrated_time.to_string(),
        "inclusionPromise": { "signedEntryTimestamp": promise.signed_entry_timestamp },
        "canonicalizedBody": entry.body,
    }))
}

fn timestamp(text: &str) -> Result<String, Refusal> {
    let timestamp: Timestamp = json::parse(text.as_bytes(), LIMIT)
        .map_err(|error| malformed("rfc3161timestamp", &error.to_string()))?;
    Ok(timestamp.token)
}

/// Each block of PEM in an annotation as the member of a bundle.
fn certificates(annotation: &str, pem: &str) -> Result<Vec<Value>, Refusal> {
    let blocks = pem
        .split_inclusive(END)
        .filter(|block| !block.trim().is_empty());
    let certificates = blocks.map(|pem| {
        let text = block(pem).ok_or_else(|| malformed(annotation, "it is not PEM"))?;
        Ok(json!({ "rawBytes": text }))
    });
    certificates.collect()
}

/// The base64 of the only block of PEM in a text, if it is that of a certificate.
pub(crate) fn block(pem: &str) -> Option<String> {
    let text = pem.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
    Some(text.split_ascii_whitespace().collect())
}

fn malformed(annotation: &str, found: &str) -> Refusal {
    let detail = format!("reading annotation {annotation}: {found}");
    Refusal::new(Reason::Json, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_annotation() {
        let certificate = format!("{BEGIN}\nAAAA\n{END}\n");
        let twice = certificate.repeat(2);
        let good = Annotations {
            signature: Some("AAAA"),
            certificate: Some(&certificate),
            chain: None,
            promise: None,
            timestamp: None,
        };
        assert!(signature(&good).is_ok());
        for (annotations, name) in [
            (
                Annotations {
                    signature: None,
                    ..good
                },
                "signature",
            ),
            (
                Annotations {
                    certificate: Some(""),
                    ..good
                },
                "certificate",
            ),
            (
                Annotations {
                    certificate: Some("x"),
                    ..good
                },
                "certificate",
            ),
            (
                Annotations {
                    certificate: Some(&twice),
                    ..good
                },
                "certificate",
            ),
            (
                Annotations {
                    chain: Some("x"),
                    ..good
                },
                "chain",
            ),
            (
                Annotations {
                    promise: Some("x"),
                    ..good
                },
                "bundle",
            ),
            (
                Annotations {
                    timestamp: Some("x"),
                    ..good
                },
                "rfc3161timestamp",
            ),
        ] {
            let refusal = signature(&annotations).unwrap_err();
            let expected = format!("reading annotation {name}: ");
            assert!(refusal.detail.starts_with(&expected), "{refusal}");
        }
    }
}
