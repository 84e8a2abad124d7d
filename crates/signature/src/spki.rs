//! SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7), of which exactly one encoding of each key is read.

use p256::pkcs8::ObjectIdentifier;
use p256::pkcs8::der::asn1::{AnyRef, BitStringRef};
use p256::pkcs8::der::{Decode as _, Encode as _};
use p256::pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use crate::algorithm::KeyType;
use crate::ecdsa;

/// `id-ecPublicKey` (RFC 5480, section 2.1.1).
pub(crate) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// `rsaEncryption` (RFC 8017, appendix A.1).
pub(crate) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
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
        RSA => rsa(key),
        ED25519 if parameters.is_some() => Err("an Ed25519 key has no parameters".to_owned()),
        ED25519 => Ok(KeyType::Ed25519),
        other => Err(format!("unsupported type of key {other}")),
    }
}

/// The type of an elliptic curve key with these parameters (RFC 5480, section 2.1.1).
pub(crate) fn curve(parameters: Option<AnyRef<'_>>) -> Result<KeyType, String> {
    let name = parameters.and_then(|parameters| parameters.decode_as().ok());
    let name: ObjectIdentifier = name.ok_or("the curve is not named")?;
    let mut curves = CURVES.iter();
    let found = curves.find(|(known, _)| *known == name);
    Ok(found.ok_or_else(|| format!("unsupported curve {name}"))?.1)
}

fn elliptic_curve(parameters: Option<AnyRef<'_>>, point: &[u8]) -> Result<KeyType, String> {
    let curve = curve(parameters)?;
    let size = curve.scalar_size().unwrap_or_default();
    match point.first() == Some(&4) && point.len() == 1 + 2 * size {
        true => Ok(curve),
        false => Err("the point is compressed or has another length".to_owned()),
    }
}

fn rsa(key: &[u8]) -> Result<KeyType, String> {
    let [modulus, _] = ecdsa::pair(key).ok_or("it is not an RSAPublicKey in DER")?;
    let bytes = modulus.as_bytes();
    let bits = 8 * bytes.len()
        - bytes
            .first()
            .map_or(0, |byte| byte.leading_zeros() as usize);
    match u16::try_from(bits) {
        Ok(bits) if RSA_BITS.contains(&usize::from(bits)) => Ok(KeyType::Rsa { bits }),
        _ => Err(format!(
            "expected an RSA key of 2048 to 4096 bits, found {bits}"
        )),
    }
}

/// The SubjectPublicKeyInfo of an `RSAPublicKey` (PKCS #1) in DER.
pub(crate) fn of_rsa(key: &[u8]) -> Option<Vec<u8>> {
    let info = SubjectPublicKeyInfoRef {
        algorithm: AlgorithmIdentifierRef {
            oid: RSA,
            parameters: Some(AnyRef::NULL),
        },
        subject_public_key: BitStringRef::from_bytes(key).ok()?,
    };
    info.to_der().ok()
}
