use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::json;
use serde::Deserialize;
use serde_json::json;
use signature::{PrivateKey, PublicKey};
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};

use super::{ANSWER, IdentityToken, Invalid};
use crate::legacy::block;

/// The answer of Fulcio (`fulcio.proto`, `SigningCertificate`). A timestamp of a certificate log that is beside the
/// certificate is of no use: a bundle has no place for it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    signed_certificate_embedded_sct: Option<Signed>,
    signed_certificate_detached_sct: Option<Signed>,
}

#[derive(Deserialize)]
struct Signed {
    chain: Chain,
}

#[derive(Deserialize)]
struct Chain {
    certificates: Vec<String>,
}

/// The request for a certificate of `key` in the name of the token's subject, in JSON (`fulcio.proto`,
/// `CreateSigningCertificateRequest`). The token is sent beside it.
///
/// # Errors
/// The key does not sign.
pub fn certificate_request(token: &IdentityToken, key: &PrivateKey) -> Result<Vec<u8>, Invalid> {
    let proof = key.sign(token.name().as_bytes());
    let proof = proof.map_err(|error| Invalid::new(error.to_string()))?;
    let request = json!({
        "publicKeyRequest": {
            "publicKey": { "algorithm": "ECDSA", "content": key.public().to_pem() },
            "proofOfPossession": STANDARD.encode(proof),
        },
    });
    Ok(request.to_string().into_bytes())
}

/// The certificate, in DER, in the answer of the certificate authority. It is not verified, except that it is of this key.
///
/// # Errors
/// The answer is malformed, or the certificate is of another key.
pub fn certificate(answer: &[u8], key: &PublicKey) -> Result<Vec<u8>, Invalid> {
    let answer: Answer = json::parse(answer, ANSWER).map_err(|error| {
        Invalid::new(format!(
            "parsing the certificate authority's answer: {error}"
        ))
    })?;
    let signed = answer.signed_certificate_embedded_sct;
    let signed = signed.or(answer.signed_certificate_detached_sct);
    let certificates = signed.map_or_else(Vec::new, |signed| signed.chain.certificates);
    let pem = certificates.first();
    let pem = pem.ok_or_else(|| malformed("it contains none"))?;
    let text = block(pem).ok_or_else(|| malformed("expected PEM"))?;
    let der = STANDARD.decode(text);
    let der = der.map_err(|_| malformed("expected PEM"))?;
    match key_of(&der).map_err(malformed)? == key.der() {
        true => Ok(der),
        false => Err(malformed("it is of another key")),
    }
}

fn key_of(der: &[u8]) -> Result<Vec<u8>, x509_cert::der::Error> {
    let certificate = Certificate::from_der(der)?;
    certificate.tbs_certificate.subject_public_key_info.to_der()
}

fn malformed(found: impl std::fmt::Display) -> Invalid {
    Invalid::new(format!(
        "reading certificate in the certificate authority's answer: {found}"
    ))
}
