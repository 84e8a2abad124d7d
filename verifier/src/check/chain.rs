//! The certificates in a PKI token, checked as Google documents it ("Confidential Space: attestation tokens, PKI").

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use webpki::aws_lc_rs::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
};
use webpki::{
    EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, VerifiedPath,
    anchor_from_trusted_cert,
};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::time::{Time, Validity};

/// The most certificates in a token. Google's have three: leaf, intermediate and root.
const LONGEST: usize = 8;

/// How certificates may be signed.
const ALGORITHMS: [&dyn SignatureVerificationAlgorithm; 3] = [
    RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512,
];

/// A root certificate.
#[derive(Debug)]
pub(super) struct Root {
    der: CertificateDer<'static>,
    validity: Validity,
}

/// A file that is not one root certificate.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidRoot {
    #[error("expected one certificate in PEM, found {0}")]
    Count(usize),
    #[error("parsing PEM: {0}")]
    Pem(#[from] pem::Error),
    #[error("parsing certificate: {0}")]
    Certificate(#[from] x509_cert::der::Error),
    #[error("parsing certificate: {0}")]
    Anchor(#[from] webpki::Error),
}

impl Root {
    /// Parses the only certificate in a text.
    ///
    /// # Errors
    /// The text does not have exactly one certificate, or the certificate is invalid.
    pub(super) fn parse(pem: &[u8]) -> Result<Self, InvalidRoot> {
        let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>()?;
        let [der] = &certificates[..] else {
            return Err(InvalidRoot::Count(certificates.len()));
        };
        let certificate = Certificate::from_der(der)?;
        anchor_from_trusted_cert(der)?;
        Ok(Self {
            der: der.clone(),
            validity: certificate.tbs_certificate.validity,
        })
    }

    /// Whether the root is valid at this time, in Unix seconds.
    fn is_valid(&self, at: u64) -> bool {
        let seconds = |time: Time| time.to_unix_duration().as_secs();
        let Validity {
            not_before,
            not_after,
        } = self.validity;
        (seconds(not_before)..=seconds(not_after)).contains(&at)
    }
}

/// The certificates in the header of a token (RFC 7515, section 4.1.6): leaf, intermediates, root.
pub(super) struct Chain(Vec<CertificateDer<'static>>);

impl Chain {
    /// Decodes the certificates.
    ///
    /// # Errors
    /// One is not in base64, or there are fewer than three or too many.
    pub(super) fn parse(certificates: &[String]) -> Result<Self, String> {
        if !(3..=LONGEST).contains(&certificates.len()) {
            let found = certificates.len();
            return Err(format!(
                "reading x5c: expected leaf, intermediate and root certificates, found {found}"
            ));
        }
        let decoded = certificates.iter().map(|text| STANDARD.decode(text));
        let decoded = decoded.map(|der| der.map(CertificateDer::from));
        let decoded = decoded.collect::<Result<_, _>>();
        decoded
            .map(Self)
            .map_err(|error| format!("reading x5c: expected base64: {error}"))
    }

    /// Verifies that each certificate is signed by the next, that the last is the root, and that all are valid at this
    /// time, in Unix seconds. Returns the leaf.
    ///
    /// # Errors
    /// The rule that the chain violates.
    pub(super) fn verify(&self, root: &Root, at: u64) -> Result<Leaf<'_>, String> {
        let invalid = |error: webpki::Error| format!("verifying certificates: {error}");
        let (leaf, intermediates) = match &self.0[..] {
            [leaf, intermediates @ .., last] if *last == root.der => (leaf, intermediates),
            _ => return Err("verifying certificates: the last one is not the root".to_owned()),
        };
        let leaf = EndEntityCert::try_from(leaf).map_err(invalid)?;
        let anchors = [anchor_from_trusted_cert(&root.der).map_err(invalid)?];
        let in_order = |path: &VerifiedPath<'_>| {
            let used = path.intermediate_certificates();
            match used
                .map(|used| used.der())
                .eq(intermediates.iter().cloned())
            {
                true => Ok(()),
                false => Err(webpki::Error::UnknownIssuer),
            }
        };
        leaf.verify_for_usage(
            &ALGORITHMS,
            &anchors,
            intermediates,
            UnixTime::since_unix_epoch(Duration::from_secs(at)),
            AnyUsage,
            None,
            Some(&in_order),
        )
        .map_err(invalid)?;
        match root.is_valid(at) {
            true => Ok(Leaf(leaf)),
            false => Err("verifying certificates: the root is expired or not yet valid".to_owned()),
        }
    }
}

/// The certificate of the key that signs tokens, after its chain was verified.
pub(super) struct Leaf<'a>(EndEntityCert<'a>);

impl Leaf<'_> {
    /// Verifies a signature by RSASSA-PKCS1-v1_5 with SHA-256.
    ///
    /// # Errors
    /// The signature does not verify, or the key is not RSA of 2048 bits or more.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), webpki::Error> {
        self.0
            .verify_signature(RSA_PKCS1_2048_8192_SHA256, message, signature)
    }
}

/// Google documents no extended key usage for these certificates.
struct AnyUsage;

impl ExtendedKeyUsageValidator for AnyUsage {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}
