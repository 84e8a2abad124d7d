//! SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7), of which exactly one encoding of each key is read.

use ed25519_dalek::VerifyingKey;
use p256::pkcs8::ObjectIdentifier;
use p256::pkcs8::der::asn1::{AnyRef, BitStringRef, OctetStringRef, PrintableStringRef, UintRef};
use p256::pkcs8::der::{Decode as _, Encode as _};
use p256::pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use crate::algorithm::{KeyType, PssParameters};
use crate::{ecdsa, pss};

/// `id-ecPublicKey` (RFC 5480, section 2.1.1).
pub(crate) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// `rsaEncryption` (RFC 8017, appendix A.1).
pub(crate) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// `id-RSASSA-PSS` (RFC 8017, appendix A.2.3).
pub(crate) const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
/// The algorithm of RSA keys that may sign with either padding.
pub(crate) const RSA_ENCRYPTION: AlgorithmIdentifierRef<'_> = AlgorithmIdentifierRef {
    oid: RSA,
    parameters: Some(AnyRef::NULL),
};
/// `id-Ed25519` (RFC 8410, section 3).
pub(crate) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// The curves by the names of RFC 5480, section 2.1.1.1.
const CURVES: [(ObjectIdentifier, KeyType); 3] = [
    (
        ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
        KeyType::P256,
    ),
    (ObjectIdentifier::new_unwrap("1.3.132.0.34"), KeyType::P384),
    (ObjectIdentifier::new_unwrap("1.3.132.0.35"), KeyType::P521),
];

/// The lengths of RSA keys that are read, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// The type of the key in `der`. Whether the key is valid is left to the library.
///
/// # Errors
/// The reason why the key is not read.
pub(crate) fn key_type(der: &[u8]) -> Result<KeyType, String> {
    let info = SubjectPublicKeyInfoRef::from_der(der);
    let info = info.map_err(|_| "it is not a SubjectPublicKeyInfo in DER".to_owned())?;
    // The type is encoded as it was decoded, except for what DER would not allow.
    if info.to_der().ok().as_deref() != Some(der) {
        return Err("it is not in DER".to_owned());
    }
    let key = info.subject_public_key.as_bytes().unwrap_or_default();
    let parameters = info.algorithm.parameters;
    match info.algorithm.oid {
        EC => elliptic_curve(parameters, key),
        RSA if parameters != Some(AnyRef::NULL) => Err("RSA parameters are not NULL".to_owned()),
        RSA => Ok(KeyType::Rsa { bits: rsa(key)? }),
        RSA_PSS => rsa_pss(parameters, key),
        ED25519 if parameters.is_some() => Err("an Ed25519 key has no parameters".to_owned()),
        ED25519 => ed25519(key),
        other => Err(format!("unsupported type of key {other}")),
    }
}

/// The type of an elliptic curve key with these parameters (RFC 5480, section 2.1.1).
pub(crate) fn curve(parameters: Option<AnyRef<'_>>) -> Result<KeyType, String> {
    let name = parameters.and_then(|parameters| parameters.decode_as().ok());
    let name: ObjectIdentifier = name.ok_or("the curve has no name")?;
    let mut curves = CURVES.iter();
    let found = curves.find(|(known, _)| *known == name);
    Ok(found.ok_or_else(|| format!("unsupported curve {name}"))?.1)
}

fn elliptic_curve(parameters: Option<AnyRef<'_>>, point: &[u8]) -> Result<KeyType, String> {
    let curve = curve(parameters)?;
    let size = curve.scalar_size().unwrap_or_default();
    match point.first() == Some(&4) && point.len() == 1 + 2 * size {
        true => Ok(curve),
        false => Err("the point is compressed or has the wrong length".to_owned()),
    }
}

/// The length of an RSA key in bits.
fn rsa(key: &[u8]) -> Result<u16, String> {
    let [modulus, exponent] = ecdsa::pair(key).ok_or("it is not an RSAPublicKey in DER")?;
    read_exponent(exponent.as_bytes()).ok_or("expected an odd RSA exponent from 3 to 2^31 - 1")?;
    let bytes = modulus.as_bytes();
    let bits = 8 * bytes.len()
        - bytes
            .first()
            .map_or(0, |byte| byte.leading_zeros() as usize);
    match u16::try_from(bits) {
        Ok(bits) if RSA_BITS.contains(&usize::from(bits)) => Ok(bits),
        _ => Err(format!(
            "expected an RSA key of 2048 to 4096 bits, found {bits}"
        )),
    }
}

/// A key that signs with RSASSA-PSS only (RFC 4055, section 1.2): parameters are absent, or restrict it further.
fn rsa_pss(parameters: Option<AnyRef<'_>>, key: &[u8]) -> Result<KeyType, String> {
    let bits = rsa(key)?;
    let parameters = parameters.map(pss::parameters).transpose()?;
    match parameters {
        Some(PssParameters { hash, salt }) if salt > largest_salt(bits, hash.size()) => {
            Err(format!("a salt of {salt} bytes does not fit the key"))
        }
        _ => Ok(KeyType::RsaPss { bits, parameters }),
    }
}

/// The length of the largest salt (RFC 8017, section 9.1.1).
fn largest_salt(bits: u16, digest: u16) -> u16 {
    (bits - 1).div_ceil(8) - digest - 2
}

/// The public exponent of the RSA key in `der`.
pub(crate) fn rsa_exponent(der: &[u8]) -> Option<u32> {
    let [_, exponent] = rsa_public_key(der)?;
    read_exponent(exponent.as_bytes())
}

/// The modulus of the RSA key in `der`.
pub(crate) fn rsa_modulus(der: &[u8]) -> Option<&[u8]> {
    let [modulus, _] = rsa_public_key(der)?;
    Some(modulus.as_bytes())
}

/// The modulus and the exponent of the RSA key in `der`.
fn rsa_public_key(der: &[u8]) -> Option<[UintRef<'_>; 2]> {
    let info = SubjectPublicKeyInfoRef::from_der(der).ok()?;
    if ![RSA, RSA_PSS].contains(&info.algorithm.oid) {
        return None;
    }
    ecdsa::pair(info.subject_public_key.as_bytes()?)
}

/// The bits of the key in `der`.
pub(crate) fn subject_public_key(der: &[u8]) -> Option<&[u8]> {
    let info = SubjectPublicKeyInfoRef::from_der(der).ok()?;
    info.subject_public_key.as_bytes()
}

/// A big-endian exponent that is read. With the exponent 1 every signature is its own padded digest. Go reads exponents
/// up to 2^31 - 1.
fn read_exponent(bytes: &[u8]) -> Option<u32> {
    let shifted = |number: u32, byte: &u8| number << 8 | u32::from(*byte);
    let exponent = match bytes.len() <= 4 {
        true => bytes.iter().fold(0, shifted),
        false => 0,
    };
    ((3..1 << 31).contains(&exponent) && exponent % 2 == 1).then_some(exponent)
}

/// An Ed25519 key is a coordinate y below 2^255 - 19, and the sign of x (RFC 8032, section 5.1.2). Under a key of small
/// order one signature fits many messages.
fn ed25519(key: &[u8]) -> Result<KeyType, String> {
    let key: &[u8; 32] = key.try_into().map_err(|_| "an Ed25519 key has 32 bytes")?;
    let is_reduced = key[0] < 0xed || key[1..31] != [0xff; 30] || key[31] & 0x7f != 0x7f;
    let is_weak = |key: VerifyingKey| key.is_weak();
    // Whether other bytes are a point is left to the library.
    match is_reduced && !VerifyingKey::from_bytes(key).is_ok_and(is_weak) {
        true => Ok(KeyType::Ed25519),
        false => Err("an Ed25519 key that is not reduced, or of small order".to_owned()),
    }
}

/// The SubjectPublicKeyInfo of a point in an `OCTET STRING`, on a curve that is named in DER: by an object
/// identifier, or by `edwards25519` (PKCS #11 3.1, sections 6.3.3 and 6.3.5).
pub(crate) fn of_point(curve: &[u8], point: &[u8]) -> Option<Vec<u8>> {
    let edwards = PrintableStringRef::from_der(curve);
    let is_edwards = edwards.is_ok_and(|name| name.as_str() == "edwards25519")
        || ObjectIdentifier::from_der(curve) == Ok(ED25519);
    // Version 3.1 has the bytes of an Edwards key as they are, earlier versions in an OCTET STRING as well.
    let point = match is_edwards && point.len() == 32 {
        true => point,
        false => <&OctetStringRef>::from_der(point).ok()?.as_bytes(),
    };
    let algorithm = match is_edwards {
        true => AlgorithmIdentifierRef {
            oid: ED25519,
            parameters: None,
        },
        false => AlgorithmIdentifierRef {
            oid: EC,
            parameters: Some(AnyRef::from_der(curve).ok()?),
        },
    };
    let info = SubjectPublicKeyInfoRef {
        algorithm,
        subject_public_key: BitStringRef::from_bytes(point).ok()?,
    };
    info.to_der().ok()
}

/// The SubjectPublicKeyInfo of an `RSAPublicKey` (PKCS #1) in DER.
pub(crate) fn of_rsa(algorithm: AlgorithmIdentifierRef<'_>, key: &[u8]) -> Option<Vec<u8>> {
    let info = SubjectPublicKeyInfoRef {
        algorithm,
        subject_public_key: BitStringRef::from_bytes(key).ok()?,
    };
    info.to_der().ok()
}
