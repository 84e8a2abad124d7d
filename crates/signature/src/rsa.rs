//! RSA private keys.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaKeyPair, RsaPssSaltLength, RsaSignatureEncoding,
};
use p256::pkcs8::PrivateKeyInfoRef;
use p256::pkcs8::der::{Decode as _, Encode as _};
use p256::pkcs8::spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use crate::algorithm::{Algorithm, Hash};
use crate::scheme::LARGEST_SALT;
use crate::spki;

/// An RSA key.
pub(crate) struct RsaKey {
    pair: RsaKeyPair,
    /// The `AlgorithmIdentifier` of the key in DER: `rsaEncryption`, or `id-RSASSA-PSS` with its parameters.
    algorithm: Vec<u8>,
}

impl RsaKey {
    pub(crate) fn generate(size: KeySize) -> Option<Self> {
        Self::plain(RsaKeyPair::generate(size).ok()?)
    }

    /// Parses an `RSAPrivateKey` (PKCS #1).
    pub(crate) fn from_pkcs1(der: &[u8]) -> Option<Self> {
        Self::plain(RsaKeyPair::from_der(der).ok()?)
    }

    /// Parses a key of `rsaEncryption` in PKCS #8.
    pub(crate) fn from_pkcs8(der: &[u8]) -> Option<Self> {
        Self::plain(RsaKeyPair::from_pkcs8(der).ok()?)
    }

    /// A key of `id-RSASSA-PSS`. Its parameters are checked with the public key.
    pub(crate) fn of_pss(info: &PrivateKeyInfoRef<'_>) -> Option<Self> {
        Some(Self {
            pair: RsaKeyPair::from_der(info.private_key.as_bytes()).ok()?,
            algorithm: info.algorithm.to_der().ok()?,
        })
    }

    fn plain(pair: RsaKeyPair) -> Option<Self> {
        let algorithm = spki::RSA_ENCRYPTION.to_der().ok()?;
        Some(Self { pair, algorithm })
    }

    fn algorithm(&self) -> Option<AlgorithmIdentifierRef<'_>> {
        AlgorithmIdentifierRef::from_der(&self.algorithm).ok()
    }

    /// The SubjectPublicKeyInfo.
    pub(crate) fn public_der(&self) -> Option<Vec<u8>> {
        spki::of_rsa(self.algorithm()?, self.pair.public_key().as_ref())
    }

    /// The key in PKCS #8.
    pub(crate) fn private_der(&self) -> Option<Zeroizing<Vec<u8>>> {
        let plain: Pkcs8V1Der<'_> = self.pair.as_der().ok()?;
        let plain = PrivateKeyInfoRef::from_der(plain.as_ref()).ok()?;
        let info = PrivateKeyInfoRef::new(self.algorithm()?, plain.private_key);
        info.to_der().ok().map(Zeroizing::new)
    }

    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Option<Vec<u8>> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let signed = self.pair.sign(
            padding(algorithm)?,
            &SystemRandom::new(),
            message,
            &mut signature,
        );
        signed.ok().map(|()| signature)
    }
}

fn padding(algorithm: Algorithm) -> Option<&'static RsaSignatureEncoding> {
    Some(match algorithm {
        Algorithm::RsaPkcs1 { hash } => match hash {
            Hash::Sha256 => &RSA_PKCS1_SHA256,
            Hash::Sha384 => &RSA_PKCS1_SHA384,
            Hash::Sha512 => &RSA_PKCS1_SHA512,
        },
        Algorithm::RsaPss { hash, salt } => {
            let salt = salt.unwrap_or(hash.size());
            return PSS[hash.index()].get(usize::from(salt));
        }
        Algorithm::Ecdsa { .. } | Algorithm::Ed25519 | Algorithm::Ed25519ph => return None,
    })
}

/// RSASSA-PSS with salts of each length. The library wants them to live as long as the program.
static PSS: LazyLock<[Vec<RsaSignatureEncoding>; 3]> = LazyLock::new(|| {
    Hash::ALL.map(|hash| {
        let lengths = (0..=LARGEST_SALT).map(RsaPssSaltLength::Custom);
        let salted = lengths.map(|salt| pss(hash).with_pss_salt_length(salt));
        salted.collect()
    })
});

fn pss(hash: Hash) -> RsaSignatureEncoding {
    match hash {
        Hash::Sha256 => RSA_PSS_SHA256,
        Hash::Sha384 => RSA_PSS_SHA384,
        Hash::Sha512 => RSA_PSS_SHA512,
    }
}
