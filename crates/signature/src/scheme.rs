//! Verification by algorithm, with the primitives of AWS-LC.

use std::cell::OnceCell;
use std::sync::LazyLock;

use aws_lc_rs::digest::{self, Digest, digest};
use aws_lc_rs::signature::{self as lc, ParsedPublicKey, RsaParameters, RsaPssSaltLength};

use ed25519_dalek::{Digest as _, Sha512, Signature, VerifyingKey};

use crate::algorithm::{Algorithm, Encoding, Hash, KeyType};
use crate::{ecdsa, spki};

/// The largest salt that fits a key of 4096 bits: 512 bytes without the shortest digest and two bytes.
pub(crate) const LARGEST_SALT: u16 = 512 - 32 - 2;

type Parameters = dyn lc::VerificationAlgorithm;

/// A message, and the digests of it that were needed so far: many keys and signatures may be tried on it.
pub(crate) struct Message<'a> {
    bytes: &'a [u8],
    digests: [OnceCell<Digest>; 3],
}

impl<'a> Message<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            digests: Default::default(),
        }
    }

    /// A message of which only the digest is known; `None` if the digest has another length.
    fn of_digest(hash: Hash, digest: &[u8]) -> Option<Message<'static>> {
        let (index, algorithm) = place(hash);
        let digest = Digest::import_less_safe(digest, algorithm).ok()?;
        let message = Message::new(&[]);
        message.digests[index].set(digest).ok()?;
        Some(message)
    }

    fn digest(&self, hash: Hash) -> &Digest {
        let (index, algorithm) = place(hash);
        self.digests[index].get_or_init(|| digest(algorithm, self.bytes))
    }
}

/// Where the digest of a message is kept, and its algorithm.
fn place(hash: Hash) -> (usize, &'static digest::Algorithm) {
    let algorithm = match hash {
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
    };
    (hash.index(), algorithm)
}

/// An algorithm with a key.
#[derive(Clone)]
pub(crate) struct Scheme {
    pub(crate) algorithm: Algorithm,
    encoding: Encoding,
    scalar_size: usize,
    keys: Keys,
}

#[derive(Clone)]
enum Keys {
    /// Parsed for each of the algorithm's parameters; there are two if a salt may have either of two lengths.
    Parsed(Vec<ParsedPublicKey>),
    /// For Ed25519ph, which AWS-LC offers to C only.
    Prehashed(Box<VerifyingKey>),
}

impl Scheme {
    /// The scheme of a key, a SubjectPublicKeyInfo in DER; `None` if the key is invalid or of another type.
    pub(crate) fn new(algorithm: Algorithm, key_type: KeyType, der: &[u8]) -> Option<Self> {
        // Of a key with `id-RSASSA-PSS` the library reads the RSAPublicKey: what its parameters fix is checked here.
        let bytes = match key_type {
            KeyType::RsaPss { .. } => spki::subject_public_key(der)?,
            _ => der,
        };
        let parse = |parameters: &'static Parameters| ParsedPublicKey::new(parameters, bytes).ok();
        let keys = match algorithm {
            Algorithm::Ed25519ph => Keys::Prehashed(Box::new(prehashed(key_type, der)?)),
            _ => {
                let keys = parameters(algorithm, key_type)?.into_iter();
                Keys::Parsed(keys.map(parse).collect::<Option<_>>()?)
            }
        };
        let encoding = match algorithm {
            Algorithm::Ecdsa { encoding, .. } => encoding,
            _ => Encoding::Der,
        };
        Some(Self {
            algorithm,
            encoding,
            scalar_size: key_type.scalar_size().unwrap_or_default(),
            keys,
        })
    }

    /// As [`Scheme::verifies`], for a message of this digest. A scheme with another digest, or with none, verifies none.
    pub(crate) fn verifies_digest(&self, hash: Hash, digest: &[u8], signature: &[u8]) -> bool {
        let message = Message::of_digest(hash, digest);
        let message = message.filter(|_| self.algorithm.hash() == Some(hash));
        message.is_some_and(|message| self.verifies(&message, signature))
    }

    pub(crate) fn verifies(&self, message: &Message<'_>, signature: &[u8]) -> bool {
        let converted;
        let signature = match self.encoding {
            Encoding::Der => signature,
            Encoding::P1363 => match ecdsa::to_der(signature, self.scalar_size) {
                Some(der) => {
                    converted = der;
                    &converted
                }
                None => return false,
            },
        };
        match &self.keys {
            Keys::Parsed(keys) => keys
                .iter()
                .any(|key| self.verifies_with(key, message, signature)),
            Keys::Prehashed(key) => verifies_prehashed(key, message.bytes, signature),
        }
    }

    fn verifies_with(
        &self,
        key: &ParsedPublicKey,
        message: &Message<'_>,
        signature: &[u8],
    ) -> bool {
        let verified = match self.algorithm.hash() {
            Some(hash) => key.verify_digest_sig(message.digest(hash), signature),
            None => key.verify_sig(message.bytes, signature),
        };
        verified.is_ok()
    }
}

fn prehashed(key_type: KeyType, der: &[u8]) -> Option<VerifyingKey> {
    let point = der
        .last_chunk::<32>()
        .filter(|_| key_type == KeyType::Ed25519)?;
    VerifyingKey::from_bytes(point).ok()
}

fn verifies_prehashed(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    let Ok(signature) = Signature::from_slice(signature) else {
        return false;
    };
    let digest = Sha512::new_with_prefix(message);
    key.verify_prehashed_strict(digest, None, &signature)
        .is_ok()
}

fn parameters(algorithm: Algorithm, key: KeyType) -> Option<Vec<&'static Parameters>> {
    if !algorithm.is_for(key) {
        return None;
    }
    Some(match algorithm {
        Algorithm::Ecdsa { hash, .. } => vec![ecdsa_parameters(key, hash)?],
        Algorithm::RsaPkcs1 { hash } => vec![match hash {
            Hash::Sha256 => &lc::RSA_PKCS1_2048_8192_SHA256,
            Hash::Sha384 => &lc::RSA_PKCS1_2048_8192_SHA384,
            Hash::Sha512 => &lc::RSA_PKCS1_2048_8192_SHA512,
        }],
        Algorithm::RsaPss { hash, salt } => pss(hash, salt)?,
        Algorithm::Ed25519 => vec![&lc::ED25519],
        Algorithm::Ed25519ph => return None,
    })
}

fn ecdsa_parameters(key: KeyType, hash: Hash) -> Option<&'static Parameters> {
    Some(match (key, hash) {
        (KeyType::P256, Hash::Sha256) => &lc::ECDSA_P256_SHA256_ASN1,
        (KeyType::P256, Hash::Sha384) => &lc::ECDSA_P256_SHA384_ASN1,
        (KeyType::P256, Hash::Sha512) => &lc::ECDSA_P256_SHA512_ASN1,
        (KeyType::P384, Hash::Sha256) => &lc::ECDSA_P384_SHA256_ASN1,
        (KeyType::P384, Hash::Sha384) => &lc::ECDSA_P384_SHA384_ASN1,
        (KeyType::P384, Hash::Sha512) => &lc::ECDSA_P384_SHA512_ASN1,
        (KeyType::P521, Hash::Sha256) => &lc::ECDSA_P521_SHA256_ASN1,
        (KeyType::P521, Hash::Sha384) => &lc::ECDSA_P521_SHA384_ASN1,
        (KeyType::P521, Hash::Sha512) => &lc::ECDSA_P521_SHA512_ASN1,
        (KeyType::Rsa { .. } | KeyType::RsaPss { .. } | KeyType::Ed25519, _) => return None,
    })
}

/// The parameters of RSASSA-PSS: first those with a salt as long as the digest and with the largest salt, then
/// those with each length. The library wants them to live as long as the program.
static PSS: LazyLock<[Vec<RsaParameters>; 3]> = LazyLock::new(|| {
    Hash::ALL.map(|hash| {
        let salted = salts().map(|salt| pss_parameters(hash).with_pss_salt_length(salt));
        salted.collect()
    })
});

fn pss_parameters(hash: Hash) -> RsaParameters {
    match hash {
        Hash::Sha256 => lc::RSA_PSS_2048_8192_SHA256,
        Hash::Sha384 => lc::RSA_PSS_2048_8192_SHA384,
        Hash::Sha512 => lc::RSA_PSS_2048_8192_SHA512,
    }
}

fn salts() -> impl Iterator<Item = RsaPssSaltLength> {
    let each = (0..=LARGEST_SALT).map(RsaPssSaltLength::Custom);
    [RsaPssSaltLength::Digest, RsaPssSaltLength::Max]
        .into_iter()
        .chain(each)
}

fn pss(hash: Hash, salt: Option<u16>) -> Option<Vec<&'static Parameters>> {
    let range = match salt {
        None => 0..2,
        Some(salt) => 2 + usize::from(salt)..3 + usize::from(salt),
    };
    let found = PSS[hash.index()].get(range)?.iter();
    Some(found.map(|parameters| parameters as &Parameters).collect())
}
