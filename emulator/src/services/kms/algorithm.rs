//! The names of algorithms for signatures (Cloud KMS, "Key purposes and algorithms").

use serde::{Deserialize, Serialize};

/// An algorithm for signatures (`CryptoKeyVersionAlgorithm`). Raw PKCS #1, secp256k1 and post-quantum algorithms are
/// not emulated.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the names are those of Cloud KMS")]
pub enum SigningAlgorithm {
    #[serde(rename = "EC_SIGN_P256_SHA256")]
    EcP256,
    #[serde(rename = "EC_SIGN_P384_SHA384")]
    EcP384,
    #[serde(rename = "EC_SIGN_ED25519")]
    Ed25519,
    #[serde(rename = "RSA_SIGN_PSS_2048_SHA256")]
    RsaPss2048,
    #[serde(rename = "RSA_SIGN_PSS_3072_SHA256")]
    RsaPss3072,
    #[serde(rename = "RSA_SIGN_PSS_4096_SHA256")]
    RsaPss4096,
    #[serde(rename = "RSA_SIGN_PSS_4096_SHA512")]
    RsaPss4096Sha512,
    #[serde(rename = "RSA_SIGN_PKCS1_2048_SHA256")]
    RsaPkcs1With2048,
    #[serde(rename = "RSA_SIGN_PKCS1_3072_SHA256")]
    RsaPkcs1With3072,
    #[serde(rename = "RSA_SIGN_PKCS1_4096_SHA256")]
    RsaPkcs1With4096,
    #[serde(rename = "RSA_SIGN_PKCS1_4096_SHA512")]
    RsaPkcs1With4096Sha512,
}

impl SigningAlgorithm {
    /// Each algorithm, with its number and its name.
    pub const ALL: [(Self, i64, &'static str); 11] = [
        (Self::EcP256, 12, "EC_SIGN_P256_SHA256"),
        (Self::EcP384, 13, "EC_SIGN_P384_SHA384"),
        (Self::Ed25519, 40, "EC_SIGN_ED25519"),
        (Self::RsaPss2048, 2, "RSA_SIGN_PSS_2048_SHA256"),
        (Self::RsaPss3072, 3, "RSA_SIGN_PSS_3072_SHA256"),
        (Self::RsaPss4096, 4, "RSA_SIGN_PSS_4096_SHA256"),
        (Self::RsaPss4096Sha512, 15, "RSA_SIGN_PSS_4096_SHA512"),
        (Self::RsaPkcs1With2048, 5, "RSA_SIGN_PKCS1_2048_SHA256"),
        (Self::RsaPkcs1With3072, 6, "RSA_SIGN_PKCS1_3072_SHA256"),
        (Self::RsaPkcs1With4096, 7, "RSA_SIGN_PKCS1_4096_SHA256"),
        (
            Self::RsaPkcs1With4096Sha512,
            16,
            "RSA_SIGN_PKCS1_4096_SHA512",
        ),
    ];

    /// The algorithm's name.
    pub fn name(self) -> &'static str {
        let mut all = Self::ALL.into_iter();
        all.find(|(known, ..)| *known == self)
            .map_or("", |(_, _, name)| name)
    }
}
