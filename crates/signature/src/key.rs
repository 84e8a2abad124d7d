use std::fmt;

use content::{Digest, limits};
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::elliptic_curve::Generate as _;
use p256::pkcs8::{
    DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _,
    LineEnding,
};
use zeroize::Zeroizing;

use crate::Error;

/// A P-256 public key; signatures are ECDSA over SHA-256, in ASN.1 DER.
#[derive(Clone, Eq, PartialEq)]
pub struct PublicKey {
    key: VerifyingKey,
    der: Vec<u8>,
}

impl PublicKey {
    /// Parses one PEM block `PUBLIC KEY` (RFC 7468, section 13).
    ///
    /// # Errors
    /// Anything else, also behind the block.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        checked_size(pem)?;
        let key = VerifyingKey::from_public_key_pem(pem.trim()).map_err(|_| Error::PublicKey)?;
        Self::new(key)
    }

    fn new(key: VerifyingKey) -> Result<Self, Error> {
        let der = key
            .to_public_key_der()
            .map_err(|_| Error::PublicKey)?
            .into_vec();
        Ok(Self { key, der })
    }

    /// The key as one PEM block with a newline at its end.
    pub fn to_pem(&self) -> String {
        // Written by hand, since encoding to PEM can fail and this cannot.
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(&self.der);
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        for line in text.as_bytes().chunks(64) {
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem.push_str("-----END PUBLIC KEY-----\n");
        pem
    }

    /// The SubjectPublicKeyInfo in DER (RFC 5280, section 4.1).
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of [`PublicKey::der`]; its hex is what Confidential Space calls `key_id`.
    pub fn key_id(&self) -> Digest {
        Digest::of(&self.der)
    }

    /// Verifies a DER signature over `message`.
    ///
    /// # Errors
    /// It is no signature by this key over this message.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let refused = |_| Error::Signature { key: self.key_id() };
        let signature = Signature::from_der(signature).map_err(refused)?;
        self.key.verify(message, &signature).map_err(refused)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.key_id().hex())
    }
}

/// A P-256 private key. Signatures are deterministic (RFC 6979): the same message always has the
/// same one. Never printed, zeroed when dropped.
pub struct PrivateKey {
    key: SigningKey,
    public: PublicKey,
}

impl PrivateKey {
    /// A new key from the operating system's randomness.
    ///
    /// # Errors
    /// There is none.
    pub fn generate() -> Result<Self, Error> {
        Self::new(SigningKey::try_generate().map_err(|_| Error::Random)?)
    }

    /// Parses one PEM block `PRIVATE KEY` (PKCS #8) or `EC PRIVATE KEY` (SEC 1).
    ///
    /// # Errors
    /// Anything else.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        checked_size(pem)?;
        let pem = pem.trim();
        let key = SigningKey::from_pkcs8_pem(pem)
            .ok()
            .or_else(|| {
                p256::SecretKey::from_sec1_pem(pem)
                    .ok()
                    .map(SigningKey::from)
            })
            .ok_or(Error::PrivateKey)?;
        Self::new(key)
    }

    fn new(key: SigningKey) -> Result<Self, Error> {
        let public = PublicKey::new(*key.verifying_key())?;
        Ok(Self { key, public })
    }

    /// The key as one PEM block `PRIVATE KEY`.
    ///
    /// # Errors
    /// It cannot be encoded.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, Error> {
        self.key
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|_| Error::PrivateKey)
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message`; the signature is in DER.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.key.sign(message);
        signature.to_der().as_bytes().to_vec()
    }
}

fn checked_size(pem: &str) -> Result<(), Error> {
    match pem.len() as u64 > limits::KEY {
        true => Err(Error::KeySize { limit: limits::KEY }),
        false => Ok(()),
    }
}
