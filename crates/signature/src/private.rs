use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::encoding::{
    AsBigEndian as _, AsDer as _, Curve25519SeedBin, Pkcs8V1Der, PublicKeyX509Der,
};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _,
};
use ed25519_dalek::{Digest as _, Sha512};
use p256::SecretKey;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::Generate as _;
use p256::pkcs8::der::Decode as _;
use p256::pkcs8::{
    DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _, PrivateKeyInfoRef,
};
use zeroize::Zeroizing;

use crate::algorithm::{Algorithm, Encoding, Hash, KeyType};
use crate::pem::{self, Block, Fault};
use crate::public::{PublicKey, checked_size};
use crate::rsa::RsaKey;
use crate::{Error, ecdsa, encrypted, spki};

const PKCS8: &str = "PRIVATE KEY";
const SEC1: &str = "EC PRIVATE KEY";
const PKCS1: &str = "RSA PRIVATE KEY";

/// A private key. It has no `Debug` and is zeroed when dropped.
pub struct PrivateKey {
    secret: Secret,
    public: PublicKey,
}

/// Signatures on P-256 are deterministic (RFC 6979), and so are those of Ed25519 and RSASSA-PKCS1-v1_5.
enum Secret {
    P256(SigningKey),
    Ecdsa(EcdsaKeyPair),
    Rsa(RsaKey),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    /// Generates a key on P-256 with the operating system's random number generator.
    ///
    /// # Errors
    /// The operating system provides no random bytes.
    pub fn generate() -> Result<Self, Error> {
        Self::generate_of(KeyType::P256)
    }

    /// Generates a key of this type with the operating system's random number generator.
    ///
    /// # Errors
    /// The type is not in [`KeyType::ALL`], or the operating system provides no random bytes.
    pub fn generate_of(key_type: KeyType) -> Result<Self, Error> {
        let secret = match key_type {
            KeyType::P256 => SigningKey::try_generate().ok().map(Secret::P256),
            KeyType::P384 => generate_ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING),
            KeyType::P521 => generate_ecdsa(&ECDSA_P521_SHA512_ASN1_SIGNING),
            KeyType::Rsa { bits: 2048 } => generate_rsa(KeySize::Rsa2048),
            KeyType::Rsa { bits: 3072 } => generate_rsa(KeySize::Rsa3072),
            KeyType::Rsa { bits: 4096 } => generate_rsa(KeySize::Rsa4096),
            KeyType::Rsa { .. } | KeyType::RsaPss { .. } => {
                let reason = format!("generating key: unsupported type {key_type}");
                return Err(Error::Invalid(reason));
            }
            KeyType::Ed25519 => Ed25519KeyPair::generate().ok().map(Secret::Ed25519),
        };
        let no_random =
            || Error::Invalid("generating key: the system has no random bytes".to_owned());
        Self::new(secret.ok_or_else(no_random)?)
    }

    /// Parses the one PEM block `PRIVATE KEY` (PKCS #8), `EC PRIVATE KEY` (SEC 1) or `RSA PRIVATE KEY` (PKCS #1) in a
    /// text, its base64 in lines of any width. Other blocks and text around it are ignored, as openssl does.
    ///
    /// # Errors
    /// [`Error::Encrypted`] for a key that cosign encrypted (see [`PrivateKey::decrypt`]), [`Error::Encryption`]
    /// for another encrypted key, [`Error::Invalid`] for anything else.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        checked_size(pem)?;
        match pem::only_block(pem, &[PKCS8, SEC1, PKCS1]) {
            Ok(block) => Self::from_block(&block),
            Err(Fault::Encrypted) if encrypted::block(pem).is_some() => Err(Error::Encrypted),
            Err(Fault::Encrypted) => Err(Error::Encryption),
            Err(Fault::Malformed) => Err(invalid("expected one PEM block PRIVATE KEY")),
        }
    }

    /// Decrypts and parses the one PEM block `ENCRYPTED SIGSTORE PRIVATE KEY` or `ENCRYPTED COSIGN PRIVATE KEY` in a
    /// text.
    ///
    /// # Errors
    /// [`Error::Password`] if the password is wrong, [`Error::Invalid`] if there is no such block or its content
    /// is invalid.
    pub fn decrypt(pem: &str, password: &[u8]) -> Result<Self, Error> {
        checked_size(pem)?;
        let block = encrypted::block(pem);
        let block = block
            .ok_or_else(|| invalid("expected one PEM block ENCRYPTED SIGSTORE PRIVATE KEY"))?;
        let der = encrypted::decrypt(&block.der, password)?;
        Self::from_block(&Block { label: PKCS8, der })
    }

    fn from_block(block: &Block<'_>) -> Result<Self, Error> {
        let secret = match block.label {
            PKCS8 => pkcs8(&block.der),
            SEC1 => sec1(&block.der),
            _ => RsaKey::from_pkcs1(&block.der).map(Secret::Rsa),
        };
        let expected = "expected a valid ECDSA key on P-256, P-384 or P-521, or RSA or Ed25519 key";
        Self::new(secret.ok_or_else(|| invalid(expected))?)
    }

    fn new(secret: Secret) -> Result<Self, Error> {
        let der = public_der(&secret).ok_or_else(|| invalid("the public key is missing"))?;
        let public = PublicKey::from_der(der)?;
        Ok(Self { secret, public })
    }

    /// The same key, which signs with this algorithm and no other.
    ///
    /// # Errors
    /// Those of [`PublicKey::signing_with`].
    pub fn with_algorithm(self, algorithm: Algorithm) -> Result<Self, Error> {
        Ok(Self {
            public: self.public.signing_with(algorithm)?,
            ..self
        })
    }

    /// The key as one PEM block `PRIVATE KEY`.
    ///
    /// # Errors
    /// It cannot be encoded.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, Error> {
        let der = private_der(&self.secret).ok_or_else(|| invalid("the key cannot be encoded"))?;
        Ok(Zeroizing::new(pem::write(PKCS8, &der)))
    }

    /// The public key.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message` with the first of the public key's algorithms.
    ///
    /// # Errors
    /// The library fails, for example for want of random bytes.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self.public.algorithms().next().and_then(|algorithm| {
            let signature = sign(&self.secret, algorithm, message)?;
            self.encoded(algorithm, signature)
        });
        signature
            .ok_or_else(|| Error::Invalid("signing: the cryptographic library failed".to_owned()))
    }

    /// The signature in the algorithm's encoding.
    fn encoded(&self, algorithm: Algorithm, der: Vec<u8>) -> Option<Vec<u8>> {
        let is_fixed = matches!(
            algorithm,
            Algorithm::Ecdsa {
                encoding: Encoding::P1363,
                ..
            }
        );
        match self.public.key_type().scalar_size() {
            Some(size) if is_fixed => ecdsa::from_der(&der, size),
            _ => Some(der),
        }
    }
}

fn generate_ecdsa(algorithm: &'static EcdsaSigningAlgorithm) -> Option<Secret> {
    EcdsaKeyPair::generate(algorithm).ok().map(Secret::Ecdsa)
}

fn generate_rsa(size: KeySize) -> Option<Secret> {
    RsaKey::generate(size).map(Secret::Rsa)
}

fn pkcs8(der: &[u8]) -> Option<Secret> {
    let info = PrivateKeyInfoRef::from_der(der).ok()?;
    let ecdsa = |algorithm| EcdsaKeyPair::from_pkcs8(algorithm, der).ok();
    match info.algorithm.oid {
        spki::RSA => RsaKey::from_pkcs8(der).map(Secret::Rsa),
        spki::RSA_PSS => RsaKey::of_pss(&info).map(Secret::Rsa),
        spki::ED25519 => Ed25519KeyPair::from_pkcs8(der).ok().map(Secret::Ed25519),
        spki::EC => match spki::curve(info.algorithm.parameters).ok()? {
            KeyType::P384 => ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING).map(Secret::Ecdsa),
            KeyType::P521 => ecdsa(&ECDSA_P521_SHA512_ASN1_SIGNING).map(Secret::Ecdsa),
            _ => SigningKey::from_pkcs8_der(der).ok().map(Secret::P256),
        },
        _ => None,
    }
}

fn sec1(der: &[u8]) -> Option<Secret> {
    // The key names its curve, so that at most one of these reads it.
    if let Ok(key) = SecretKey::from_sec1_der(der) {
        return Some(Secret::P256(key.into()));
    }
    let mut curves = [
        &ECDSA_P384_SHA384_ASN1_SIGNING,
        &ECDSA_P521_SHA512_ASN1_SIGNING,
    ]
    .into_iter();
    let key = curves.find_map(|curve| EcdsaKeyPair::from_private_key_der(curve, der).ok());
    key.map(Secret::Ecdsa)
}

fn public_der(secret: &Secret) -> Option<Vec<u8>> {
    let der = |der: PublicKeyX509Der<'_>| der.as_ref().to_vec();
    match secret {
        Secret::P256(key) => Some(key.verifying_key().to_public_key_der().ok()?.into_vec()),
        Secret::Ecdsa(key) => key.public_key().as_der().ok().map(der),
        Secret::Rsa(key) => key.public_der(),
        Secret::Ed25519(key) => key.public_key().as_der().ok().map(der),
    }
}

fn private_der(secret: &Secret) -> Option<Zeroizing<Vec<u8>>> {
    let der = |der: Pkcs8V1Der<'_>| der.as_ref().to_vec();
    let der = match secret {
        Secret::P256(key) => key.to_pkcs8_der().ok()?.as_bytes().to_vec(),
        Secret::Ecdsa(key) => key.to_pkcs8v1().ok()?.as_ref().to_vec(),
        Secret::Rsa(key) => return key.private_der(),
        Secret::Ed25519(key) => key.as_der().ok().map(der)?,
    };
    Some(Zeroizing::new(der))
}

fn sign(secret: &Secret, algorithm: Algorithm, message: &[u8]) -> Option<Vec<u8>> {
    Some(match secret {
        Secret::P256(key) => {
            let signature: Signature = key.sign(message);
            signature.to_der().as_bytes().to_vec()
        }
        Secret::Ecdsa(key) => {
            let digest = digest_for(key, algorithm.hash()?, message)?;
            key.sign_digest(&digest).ok()?.as_ref().to_vec()
        }
        Secret::Rsa(key) => key.sign(algorithm, message)?,
        Secret::Ed25519(key) if algorithm == Algorithm::Ed25519ph => prehashed(key, message)?,
        Secret::Ed25519(key) => key.try_sign(message).ok()?.as_ref().to_vec(),
    })
}

/// The digest of `message` as long as the digest of the key's curve, which the library wants. A shorter digest is the
/// same number with zeros before it (FIPS 186-5, section 6.4.1).
fn digest_for(key: &EcdsaKeyPair, hash: Hash, message: &[u8]) -> Option<Digest> {
    let own = match *key.algorithm() == ECDSA_P384_SHA384_ASN1_SIGNING {
        true => &digest::SHA384,
        false => &digest::SHA512,
    };
    let digest = hash.digest(message);
    let mut padded = vec![0; own.output_len().checked_sub(digest.len())?];
    padded.extend(digest);
    Digest::import_less_safe(&padded, own).ok()
}

fn prehashed(key: &Ed25519KeyPair, message: &[u8]) -> Option<Vec<u8>> {
    let seed: Curve25519SeedBin<'_> = key.seed().ok()?.as_be_bytes().ok()?;
    let key = ed25519_dalek::SigningKey::from_bytes(seed.as_ref().try_into().ok()?);
    let signature = key.sign_prehashed(Sha512::new_with_prefix(message), None);
    Some(signature.ok()?.to_bytes().to_vec())
}

fn invalid(reason: &str) -> Error {
    Error::Invalid(format!("parsing private key: {reason}"))
}
