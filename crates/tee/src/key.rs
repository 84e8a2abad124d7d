//! Public keys and their signatures. The algorithm follows from the key, never from what is signed with it.

mod der;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use content::{Digest, limits};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    UnparsedPublicKey, VerificationAlgorithm,
};

use der::{BIT_STRING, Elements, NULL, OBJECT, SEQUENCE};

/// `id-ecPublicKey` (RFC 5480, section 2.1.1).
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// `secp256r1` (RFC 5480, section 2.1.1.1).
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// `rsaEncryption` (RFC 8017, appendix A.1).
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// `id-Ed25519` (RFC 8410, section 3).
const EDWARDS: &[u8] = &[0x2b, 0x65, 0x70];
/// The only exponent of RSA that Confidential Space reads, 65537.
const EXPONENT: &[u8] = &[1, 0, 1];
/// The lengths of RSA keys, in bytes of the modulus, whose first bit is set.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=512;
/// The length of each half of a signature by a P-256 key, in bytes.
const SCALAR: usize = 32;

/// A public key: P-256, Ed25519, or RSA with 2048 to 4096 bits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicKey {
    kind: Kind,
    /// The point, or the modulus and exponent in DER.
    bytes: Vec<u8>,
    id: Digest,
}

/// The kind of a key, which decides with which algorithm a signature is verified.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// ECDSA with P-256 and SHA-256.
    P256,
    /// Ed25519.
    Ed25519,
    /// RSA with SHA-256, PKCS #1 v1.5 or PSS.
    Rsa,
}

/// A text that is not a public key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidKey {
    /// It is not PEM.
    #[error("expected one PEM block -----BEGIN PUBLIC KEY-----")]
    Pem,
    /// It is not a SubjectPublicKeyInfo in DER.
    #[error("it is not a SubjectPublicKeyInfo in DER")]
    Der,
    /// It is another kind of key.
    #[error(
        "expected a key of P-256 with an uncompressed point, of Ed25519, or of RSA with 2048 to 4096 bits and the exponent 65537"
    )]
    Kind,
}

/// A signature that is not by a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

impl PublicKey {
    /// Parses a key in PEM (RFC 7468, section 13).
    ///
    /// # Errors
    /// It is not one block of this kind, or another kind of key.
    pub fn from_pem(text: &str) -> Result<Self, InvalidKey> {
        if text.len() as u64 > limits::KEY {
            return Err(InvalidKey::Pem);
        }
        let inner = text
            .trim()
            .strip_prefix("-----BEGIN PUBLIC KEY-----")
            .and_then(|rest| rest.strip_suffix("-----END PUBLIC KEY-----"));
        let lines = inner.ok_or(InvalidKey::Pem)?.split_ascii_whitespace();
        let der = STANDARD.decode(lines.collect::<String>());
        Self::from_der(&der.map_err(|_| InvalidKey::Pem)?)
    }

    /// Parses a SubjectPublicKeyInfo in DER (RFC 5280, section 4.1.2.7).
    ///
    /// # Errors
    /// It is not one, or another kind of key.
    pub fn from_der(der: &[u8]) -> Result<Self, InvalidKey> {
        let (algorithm, bytes) = split(der).ok_or(InvalidKey::Der)?;
        let kind = kind(algorithm, bytes).ok_or(InvalidKey::Kind)?;
        Ok(Self {
            kind,
            bytes: bytes.to_vec(),
            id: Digest::of(der),
        })
    }

    /// The kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The SHA-256 of the SubjectPublicKeyInfo in DER, by which attestation tokens name the key.
    pub fn id(&self) -> Digest {
        self.id
    }

    /// Verifies a signature: of P-256 in DER, of RSA with PKCS #1 v1.5 or PSS.
    ///
    /// # Errors
    /// It is not by this key, or over another message.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        let verifies = |algorithm: &'static dyn VerificationAlgorithm| {
            let key = UnparsedPublicKey::new(algorithm, &self.bytes);
            key.verify(message, signature).is_ok()
        };
        let is_verified = match self.kind {
            Kind::P256 => verifies(&ECDSA_P256_SHA256_ASN1),
            Kind::Ed25519 => verifies(&ED25519),
            Kind::Rsa => {
                verifies(&RSA_PKCS1_2048_8192_SHA256) || verifies(&RSA_PSS_2048_8192_SHA256)
            }
        };
        match is_verified {
            true => Ok(()),
            false => Err(BadSignature),
        }
    }
}

/// The two halves of a signature by a P-256 key one after the other, as JSON Web Signatures have it (RFC 7518, section 3.4);
/// `None` if the signature is not in DER.
pub(crate) fn fixed(signature: &[u8]) -> Option<Vec<u8>> {
    let mut outer = Elements::of(signature);
    let mut halves = outer.enter(SEQUENCE)?;
    let mut fixed = Vec::new();
    for half in [halves.positive()?, halves.positive()?] {
        fixed.resize(fixed.len() + SCALAR.checked_sub(half.len())?, 0);
        fixed.extend_from_slice(half);
    }
    halves.end().and(outer.end()).map(|()| fixed)
}

/// The elements of the algorithm, and the bytes of the key.
fn split(der: &[u8]) -> Option<(Elements<'_>, &[u8])> {
    let mut outer = Elements::of(der);
    let mut info = outer.enter(SEQUENCE)?;
    let algorithm = info.enter(SEQUENCE)?;
    let [0, bytes @ ..] = info.take(BIT_STRING)? else {
        return None;
    };
    info.end().and(outer.end())?;
    Some((algorithm, bytes))
}

fn kind(mut algorithm: Elements, bytes: &[u8]) -> Option<Kind> {
    let kind = match algorithm.take(OBJECT)? {
        EC => {
            let is_curve = algorithm.take(OBJECT)? == P256;
            let is_point = bytes.len() == 1 + 2 * SCALAR && bytes.first() == Some(&4);
            (is_curve && is_point).then_some(Kind::P256)
        }
        EDWARDS => (bytes.len() == 32).then_some(Kind::Ed25519),
        RSA => {
            let has_none = algorithm.take(NULL)?.is_empty();
            is_rsa(bytes).filter(|is_rsa| *is_rsa && has_none)?;
            Some(Kind::Rsa)
        }
        _ => None,
    };
    algorithm.end().and(kind)
}

fn is_rsa(bytes: &[u8]) -> Option<bool> {
    let mut outer = Elements::of(bytes);
    let mut key = outer.enter(SEQUENCE)?;
    let (modulus, exponent) = (key.positive()?, key.positive()?);
    key.end().and(outer.end())?;
    let is_long = MODULUS.contains(&modulus.len()) && modulus[0] >= 0x80;
    Some(is_long && exponent == EXPONENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with openssl: for each kind a key, and its signatures over `message`.
    const VECTORS: &str = include_str!("../tests/data/signatures.json");

    #[derive(serde::Deserialize)]
    struct Vector {
        name: String,
        pem: String,
        id: String,
        signatures: Vec<String>,
    }

    fn vectors() -> Vec<Vector> {
        content::json::parse(VECTORS.as_bytes(), 1 << 20).unwrap()
    }

    #[test]
    fn verifies_what_openssl_signs() {
        let vectors = vectors();
        assert_eq!(vectors.len(), 4);
        for vector in &vectors {
            let key = PublicKey::from_pem(&vector.pem).unwrap();
            assert_eq!(key.id().hex(), vector.id, "{}", vector.name);
            assert!(!vector.signatures.is_empty());
            for signature in &vector.signatures {
                let mut signature = STANDARD.decode(signature).unwrap();
                assert_eq!(
                    key.verify(b"message", &signature),
                    Ok(()),
                    "{}",
                    vector.name
                );
                assert_eq!(key.verify(b"massage", &signature), Err(BadSignature));
                let last = signature.len() - 1;
                signature[last] ^= 1;
                assert_eq!(key.verify(b"message", &signature), Err(BadSignature));
                assert_eq!(key.verify(b"message", b""), Err(BadSignature));
            }
        }
    }

    #[test]
    fn a_signature_of_one_key_is_none_of_another() {
        let vectors = vectors();
        for signer in &vectors {
            for other in vectors.iter().filter(|other| other.id != signer.id) {
                let key = PublicKey::from_pem(&other.pem).unwrap();
                for signature in &signer.signatures {
                    let signature = STANDARD.decode(signature).unwrap();
                    assert_eq!(key.verify(b"message", &signature), Err(BadSignature));
                }
            }
        }
    }

    #[test]
    fn reads_pem_in_one_line_and_with_carriage_returns() {
        for Vector { pem, id, .. } in vectors() {
            let inner = pem.trim().trim_start_matches("-----BEGIN PUBLIC KEY-----");
            let inner = inner.trim_end_matches("-----END PUBLIC KEY-----");
            let line: String = inner.split_whitespace().collect();
            let one = format!("-----BEGIN PUBLIC KEY-----\n{line}\n-----END PUBLIC KEY-----");
            assert_eq!(PublicKey::from_pem(&one).unwrap().id().hex(), id);
            let carried = pem.replace('\n', "\r\n");
            assert_eq!(PublicKey::from_pem(&carried).unwrap().id().hex(), id);
        }
    }

    #[test]
    fn refuses_what_is_no_such_key() {
        let [p256, ..] = &vectors()[..] else {
            unreachable!()
        };
        let pem = p256.pem.trim();
        for text in [
            "",
            &pem.replace("PUBLIC", "RSA PUBLIC"),
            &pem.replace("PUBLIC", "PRIVATE"),
            &format!("{pem}\n{pem}"),
            &format!("x{pem}"),
            &pem.replace('=', ""),
            &" ".repeat(1 << 17),
        ] {
            assert_eq!(PublicKey::from_pem(text), Err(InvalidKey::Pem), "{text}");
        }
        let inner = pem.lines().filter(|line| !line.starts_with('-'));
        let der = STANDARD.decode(inner.collect::<String>()).unwrap();
        assert!(PublicKey::from_der(&der).is_ok());
        let mut longer = der.clone();
        longer.push(0);
        assert_eq!(PublicKey::from_der(&longer), Err(InvalidKey::Der));
        assert_eq!(
            PublicKey::from_der(&der[..der.len() - 1]),
            Err(InvalidKey::Der)
        );
        let mut compressed = der.clone();
        compressed[26] = 2;
        assert_eq!(PublicKey::from_der(&compressed), Err(InvalidKey::Kind));
        let mut curve = der;
        curve[22] ^= 1;
        assert_eq!(PublicKey::from_der(&curve), Err(InvalidKey::Kind));
    }

    #[test]
    fn refuses_short_rsa_keys_and_other_exponents() {
        let refused: Vec<String> =
            content::json::parse(include_bytes!("../tests/data/refused-keys.json"), 1 << 20)
                .unwrap();
        assert_eq!(refused.len(), 4);
        for pem in refused {
            assert_eq!(PublicKey::from_pem(&pem), Err(InvalidKey::Kind), "{pem}");
        }
    }

    #[test]
    fn a_signature_has_two_halves_of_fixed_length() {
        let of = |halves: &[u8]| {
            let outer = [&[0x30, u8::try_from(halves.len()).unwrap()], halves].concat();
            fixed(&outer)
        };
        let expected = [&[0; 31][..], &[1], &[0; 31], &[0x80]].concat();
        assert_eq!(of(&[2, 1, 1, 2, 2, 0, 0x80]), Some(expected));
        assert_eq!(of(&[2, 1, 1]), None);
        assert_eq!(of(&[2, 1, 1, 2, 1, 1, 0]), None);
        let long = [&[2, 33][..], &[1; 33], &[2, 1, 1]].concat();
        assert_eq!(of(&long), None);
    }
}
