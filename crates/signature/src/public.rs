//! Public keys: parses and writes them, and verifies signatures.

use std::fmt;

use content::{Digest, limits};

use crate::algorithm::{Algorithm, Encoding, Hash, KeyType};
use crate::pem::{self, Block};
use crate::scheme::{Message, Scheme};
use crate::{Error, ecdsa, spki};

const SPKI: &str = "PUBLIC KEY";
const PKCS1: &str = "RSA PUBLIC KEY";

/// A public key with the algorithms that its signatures may have.
#[derive(Clone)]
pub struct PublicKey {
    der: Vec<u8>,
    key_type: KeyType,
    schemes: Vec<Scheme>,
}

impl PublicKey {
    /// Parses the one PEM block `PUBLIC KEY` (RFC 7468, section 13) or `RSA PUBLIC KEY` (PKCS #1) in a text, its
    /// base64 in lines of any width. Other blocks and text around it are ignored, as openssl does. The algorithms
    /// are those of the key's type; see [`PublicKey::with_algorithm`].
    ///
    /// # Errors
    /// There is no such block or more than one, its key is not of a [`KeyType`], or it encodes the key
    /// differently from [`PublicKey::der`]. The last rule gives a key the same key ID for every reader.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        checked_size(pem)?;
        let block = pem::only_block(pem, &[SPKI, PKCS1]);
        let block = block.map_err(|_| invalid("expected one PEM block PUBLIC KEY"))?;
        Self::from_block(&block)
    }

    /// Parses one PEM block `PUBLIC KEY` or `RSA PUBLIC KEY` with nothing but white space around it. Another
    /// reader of a signed document, which takes the first block or the last, finds the same key.
    ///
    /// # Errors
    /// Those of [`PublicKey::from_pem`], or there is anything else in the text.
    pub fn from_bare_pem(pem: &str) -> Result<Self, Error> {
        match pem::is_bare(pem, SPKI) || pem::is_bare(pem, PKCS1) {
            true => Self::from_pem(pem),
            false => Err(invalid(
                "expected one PEM block PUBLIC KEY and nothing else",
            )),
        }
    }

    fn from_block(block: &Block<'_>) -> Result<Self, Error> {
        let der = match block.label {
            PKCS1 => spki::of_rsa(spki::RSA_ENCRYPTION, &block.der).unwrap_or_default(),
            _ => block.der.to_vec(),
        };
        Self::from_der(der)
    }

    /// Parses a SubjectPublicKeyInfo in DER.
    ///
    /// # Errors
    /// As [`PublicKey::from_pem`].
    pub fn from_der(der: Vec<u8>) -> Result<Self, Error> {
        let key_type = spki::key_type(&der).map_err(|reason| invalid(&reason))?;
        let schemes = key_type.default_algorithms().into_iter();
        let schemes: Option<_> = schemes
            .map(|algorithm| Scheme::new(algorithm, key_type, &der))
            .collect();
        let schemes = schemes.ok_or_else(|| invalid("the key is invalid"))?;
        Ok(Self {
            der,
            key_type,
            schemes,
        })
    }

    /// A key on a curve as a token has it: the curve's name in DER, and the point in an `OCTET STRING` (PKCS #11 3.1,
    /// `CKA_EC_PARAMS` and `CKA_EC_POINT`).
    ///
    /// # Errors
    /// As [`PublicKey::from_pem`].
    pub fn from_point(curve: &[u8], point: &[u8]) -> Result<Self, Error> {
        let der = spki::of_point(curve, point);
        Self::from_der(der.ok_or_else(|| invalid("the curve or the point is invalid"))?)
    }

    /// An RSA key of a modulus and an exponent, big-endian.
    ///
    /// # Errors
    /// As [`PublicKey::from_pem`].
    pub fn from_rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, Error> {
        let key = ecdsa::of_pair(modulus, exponent);
        let der = key.and_then(|key| spki::of_rsa(spki::RSA_ENCRYPTION, &key));
        Self::from_der(der.ok_or_else(|| invalid("the modulus or the exponent is invalid"))?)
    }

    /// A signature as a token returns it, where that of ECDSA is `r` and `s`, in the encoding of the algorithm that
    /// the key signs with.
    ///
    /// # Errors
    /// The signature has another length.
    pub fn encoded(&self, signature: Vec<u8>) -> Result<Vec<u8>, Error> {
        let der = Encoding::Der;
        match (self.algorithms().next(), self.key_type.scalar_size()) {
            (Some(Algorithm::Ecdsa { encoding, .. }), Some(size)) if encoding == der => {
                let der = ecdsa::to_der(&signature, size);
                der.ok_or_else(|| {
                    Error::Invalid("signing: a signature of another length".to_owned())
                })
            }
            _ => Ok(signature),
        }
    }

    /// The same key, whose signatures have this algorithm and no other.
    ///
    /// # Errors
    /// The algorithm is for another type of key.
    pub fn with_algorithm(self, algorithm: Algorithm) -> Result<Self, Error> {
        let scheme = Scheme::new(algorithm, self.key_type, &self.der);
        let scheme = scheme.ok_or_else(|| {
            let key_type = self.key_type;
            Error::Algorithm(format!(
                "a key of type {key_type} does not sign with {algorithm}"
            ))
        })?;
        Ok(Self {
            schemes: vec![scheme],
            ..self
        })
    }

    /// The same key, whose private key signs with this algorithm and no other.
    ///
    /// # Errors
    /// The private key cannot sign with the algorithm: it is for another type of key, with a digest that is longer than
    /// the curve's order, or with a salt of a given length.
    pub fn signing_with(self, algorithm: Algorithm) -> Result<Self, Error> {
        let key_type = self.key_type;
        match key_type.signs_with(algorithm) {
            true => self.with_algorithm(algorithm),
            false => Err(Error::Algorithm(format!(
                "a private key of type {key_type} does not sign with {algorithm}"
            ))),
        }
    }

    /// The type of the key.
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The public exponent of an RSA key.
    pub fn rsa_exponent(&self) -> Option<u32> {
        spki::rsa_exponent(&self.der)
    }

    /// The algorithms that signatures of the key may have. The first is the one that it signs with.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.schemes.iter().map(|scheme| scheme.algorithm)
    }

    /// The key as one PEM block with a trailing newline.
    pub fn to_pem(&self) -> String {
        pem::write(SPKI, &self.der)
    }

    /// The SubjectPublicKeyInfo in DER (RFC 5280, section 4.1).
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The SHA-256 digest of [`PublicKey::der`]. Confidential Space calls its hex form `key_id`.
    pub fn key_id(&self) -> Digest {
        Digest::of(&self.der)
    }

    /// Whether who holds the private key of one holds that of the other: the keys are the same, or of RSA with one modulus. Such
    /// keys have several key IDs: by `rsaEncryption`, by `id-RSASSA-PSS` with each of its parameters, and by exponent.
    pub fn is_held_with(&self, other: &Self) -> bool {
        let modulus = |key: &Self| spki::rsa_modulus(&key.der).map(<[u8]>::to_vec);
        self.der == other.der || modulus(self).is_some_and(|own| modulus(other) == Some(own))
    }

    /// Verifies a signature over `message`.
    ///
    /// # Errors
    /// It is not a signature by this key, with one of its algorithms, over this message.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        match self.verifies(&Message::new(message), signature) {
            true => Ok(()),
            false => Err(Error::Signature { key: self.key_id() }),
        }
    }

    /// Verifies a signature over the message that has this digest. The algorithms of the key that sign another digest,
    /// or the message itself, are not tried.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_digest(&self, hash: Hash, digest: &[u8], signature: &[u8]) -> Result<(), Error> {
        let mut schemes = self.schemes.iter();
        match schemes.any(|scheme| scheme.verifies_digest(hash, digest, signature)) {
            true => Ok(()),
            false => Err(Error::Signature { key: self.key_id() }),
        }
    }

    pub(crate) fn verifies(&self, message: &Message<'_>, signature: &[u8]) -> bool {
        let mut schemes = self.schemes.iter();
        schemes.any(|scheme| scheme.verifies(message, signature))
    }
}

/// Keys are equal if they have the same key ID and algorithms.
impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der && self.algorithms().eq(other.algorithms())
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.key_id().hex())
    }
}

fn invalid(reason: &str) -> Error {
    Error::Invalid(format!("parsing public key: {reason}"))
}

pub(crate) fn checked_size(pem: &str) -> Result<(), Error> {
    match pem.len() as u64 > limits::KEY {
        true => Err(Error::Invalid(format!(
            "parsing key: larger than {} bytes",
            limits::KEY
        ))),
        false => Ok(()),
    }
}
