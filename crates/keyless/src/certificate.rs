//! Whom a certificate names (Fulcio, `docs/certificate-specification.md` and `docs/oid-info.md`).

use sigstore_verify::crypto::parse_certificate_info;
use sigstore_verify::types::DerCertificate;
use x509_cert::Certificate;
use x509_cert::der::asn1::Utf8StringRef;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{Decode as _, Tag, Tagged as _};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::{GeneralName, OtherName};

use crate::{Reason, Refusal, Signer};

/// Another name: a user name with the domain of its issuer.
const USER_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7");

/// The timestamps by logs of certificates (RFC 6962, section 3.3).
const LOGGED: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");

/// The subject and the issuer that a certificate names. It is not verified.
///
/// # Errors
/// The certificate cannot be parsed, or has not exactly one subject.
pub(crate) fn signer(der: &[u8]) -> Result<Signer, Refusal> {
    let subject = subject(der)?;
    let parsed = parse_certificate_info(&DerCertificate::from_bytes(der));
    let parsed = parsed.map_err(|error| refused(format!("parsing certificate: {error}")))?;
    let issuer = parsed.issuer.unwrap_or_default();
    Ok(Signer { issuer, subject })
}

/// The only subject alternative name of a certificate.
///
/// # Errors
/// The certificate cannot be parsed, or has not exactly one name.
pub(crate) fn subject(der: &[u8]) -> Result<String, Refusal> {
    let certificate = parse(der)?;
    let names = certificate.tbs_certificate.get::<SubjectAltName>();
    let names =
        names.map_err(|error| refused(format!("parsing subject of certificate: {error}")))?;
    let names = names.map_or_else(Vec::new, |(_, names)| names.0);
    match &names[..] {
        [GeneralName::Rfc822Name(address)] => Ok(address.to_string()),
        [GeneralName::UniformResourceIdentifier(uri)] => Ok(uri.to_string()),
        [GeneralName::OtherName(name)] if name.type_id == USER_NAME => user_name(name),
        [_] => Err(refused("the certificate has an unknown kind of subject")),
        _ => Err(refused(format!(
            "expected one subject in the certificate, found {}",
            names.len()
        ))),
    }
}

/// Whether a certificate says that it is in a log of certificates.
///
/// # Errors
/// The certificate cannot be parsed.
pub(crate) fn is_logged(der: &[u8]) -> Result<bool, Refusal> {
    let extensions = parse(der)?.tbs_certificate.extensions.unwrap_or_default();
    Ok(extensions.iter().any(|one| one.extn_id == LOGGED))
}

fn parse(der: &[u8]) -> Result<Certificate, Refusal> {
    Certificate::from_der(der).map_err(|error| refused(format!("parsing certificate: {error}")))
}

fn user_name(name: &OtherName) -> Result<String, Refusal> {
    let text = match name.value.tag() {
        Tag::Utf8String => name.value.decode_as::<Utf8StringRef<'_>>().ok(),
        _ => None,
    };
    let text = text.map(|text| text.as_str().to_owned());
    text.ok_or_else(|| refused("the certificate's subject is not text"))
}

fn refused(detail: impl Into<String>) -> Refusal {
    Refusal::new(Reason::Certificate, detail)
}
