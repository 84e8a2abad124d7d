//! Makes keys for signatures and signs with them, by algorithm.

use aws_lc_rs::digest::{self, Digest, digest};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512,
    RSA_PSS_SHA256, RSA_PSS_SHA512, RsaKeyPair, RsaSignatureEncoding,
};
use p256::pkcs8::der::pem::{LineEnding, encode_string};
use signature::Hash;

use super::algorithm::SigningAlgorithm;
use super::message::SignedBytes;
use crate::status::Status;

/// How the keys of an algorithm are made, and how they sign.
enum Kind {
    Ecdsa(&'static EcdsaSigningAlgorithm, &'static digest::Algorithm),
    Rsa(
        KeySize,
        &'static RsaSignatureEncoding,
        &'static digest::Algorithm,
    ),
    Ed25519,
}

impl SigningAlgorithm {
    fn kind(self) -> Kind {
        let pss = |size| Kind::Rsa(size, &RSA_PSS_SHA256, &digest::SHA256);
        let pkcs1 = |size| Kind::Rsa(size, &RSA_PKCS1_SHA256, &digest::SHA256);
        match self {
            Self::EcP256 => Kind::Ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING, &digest::SHA256),
            Self::EcP384 => Kind::Ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING, &digest::SHA384),
            Self::Ed25519 => Kind::Ed25519,
            Self::RsaPss2048 => pss(KeySize::Rsa2048),
            Self::RsaPss3072 => pss(KeySize::Rsa3072),
            Self::RsaPss4096 => pss(KeySize::Rsa4096),
            Self::RsaPss4096Sha512 => Kind::Rsa(KeySize::Rsa4096, &RSA_PSS_SHA512, &digest::SHA512),
            Self::RsaPkcs1With2048 => pkcs1(KeySize::Rsa2048),
            Self::RsaPkcs1With3072 => pkcs1(KeySize::Rsa3072),
            Self::RsaPkcs1With4096 => pkcs1(KeySize::Rsa4096),
            Self::RsaPkcs1With4096Sha512 => {
                Kind::Rsa(KeySize::Rsa4096, &RSA_PKCS1_SHA512, &digest::SHA512)
            }
        }
    }

    /// Makes a key; returns it as PKCS #8.
    pub(super) fn generate(self) -> Result<Vec<u8>, Status> {
        let made = match self.kind() {
            Kind::Ecdsa(algorithm, _) => EcdsaKeyPair::generate(algorithm)
                .and_then(|key| key.to_pkcs8v1())
                .map(|der| der.as_ref().to_vec()),
            Kind::Rsa(size, ..) => RsaKeyPair::generate(size).and_then(|key| {
                let der: Pkcs8V1Der<'_> = key.as_der()?;
                Ok(der.as_ref().to_vec())
            }),
            Kind::Ed25519 => Ed25519KeyPair::generate()
                .and_then(|key| key.to_pkcs8v1())
                .map(|der| der.as_ref().to_vec()),
        };
        made.map_err(|_| Status::internal())
    }

    /// The public key in PEM (SubjectPublicKeyInfo).
    pub(super) fn public_key(self, pkcs8: &[u8]) -> Result<String, Status> {
        let der: Result<PublicKeyX509Der<'_>, Unspecified> = match self.kind() {
            Kind::Ecdsa(algorithm, _) => ecdsa(algorithm, pkcs8)?.public_key().as_der(),
            Kind::Rsa(..) => rsa(pkcs8)?.public_key().as_der(),
            Kind::Ed25519 => ed25519(pkcs8)?.public_key().as_der(),
        };
        let der = der.map_err(|_| Status::internal())?;
        let pem = encode_string("PUBLIC KEY", LineEnding::LF, der.as_ref());
        pem.map_err(|_| Status::internal())
    }

    /// Signs a digest, or data, of which the digest is made if the algorithm has one.
    pub(super) fn sign(self, pkcs8: &[u8], signed: &SignedBytes) -> Result<Vec<u8>, Status> {
        let signature = match self.kind() {
            Kind::Ecdsa(algorithm, hash) => {
                let key = ecdsa(algorithm, pkcs8)?;
                let signature = key.sign_digest(&digest_of(signed, hash)?);
                signature.map(|signature| signature.as_ref().to_vec())
            }
            Kind::Rsa(_, encoding, hash) => {
                let key = rsa(pkcs8)?;
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign_digest(encoding, &digest_of(signed, hash)?, &mut signature)
                    .map(|()| signature)
            }
            Kind::Ed25519 => match signed {
                SignedBytes::Data(data) => ed25519(pkcs8)?
                    .try_sign(data.get("data")?)
                    .map(|signature| signature.as_ref().to_vec()),
                SignedBytes::Digest(..) => return Err(wrong_digest()),
            },
        };
        signature.map_err(|_| Status::internal())
    }
}

fn digest_of(signed: &SignedBytes, hash: &'static digest::Algorithm) -> Result<Digest, Status> {
    let (kind, checked) = match signed {
        SignedBytes::Data(data) => return Ok(digest(hash, data.get("data")?)),
        SignedBytes::Digest(kind, checked) => (kind, checked),
    };
    let given = match kind {
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
    };
    let bytes = checked.get("digest")?;
    match given == hash {
        true => Digest::import_less_safe(bytes, hash).map_err(|_| wrong_digest()),
        false => Err(wrong_digest()),
    }
}

fn wrong_digest() -> Status {
    Status::invalid(
        "The digest is not of the type or the length that the algorithm of the key requires.",
    )
}

fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm, pkcs8: &[u8]) -> Result<EcdsaKeyPair, Status> {
    EcdsaKeyPair::from_pkcs8(algorithm, pkcs8).map_err(|_| Status::internal())
}

fn rsa(pkcs8: &[u8]) -> Result<RsaKeyPair, Status> {
    RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| Status::internal())
}

fn ed25519(pkcs8: &[u8]) -> Result<Ed25519KeyPair, Status> {
    Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| Status::internal())
}
