//! The two encodings of an ECDSA signature.

use p256::pkcs8::der::asn1::UintRef;
use p256::pkcs8::der::{Decode as _, Encode as _, Header, Reader as _, SliceReader, Tag};

/// `Ecdsa-Sig-Value` in DER from `r` and `s`, each of `size` bytes; `None` if the lengths differ.
pub(crate) fn to_der(signature: &[u8], size: usize) -> Option<Vec<u8>> {
    if signature.len() != 2 * size {
        return None;
    }
    let (r, s) = signature.split_at(size);
    of_pair(r, s)
}

/// A `SEQUENCE` of two numbers, big-endian.
pub(crate) fn of_pair(first: &[u8], second: &[u8]) -> Option<Vec<u8>> {
    let [first, second] = [UintRef::new(first).ok()?, UintRef::new(second).ok()?];
    let length = (first.encoded_len().ok()? + second.encoded_len().ok()?).ok()?;
    let mut der = Header::new(Tag::Sequence, length).to_der().ok()?;
    first.encode_to_vec(&mut der).ok()?;
    second.encode_to_vec(&mut der).ok()?;
    Some(der)
}

/// `r` and `s`, each of `size` bytes, from `Ecdsa-Sig-Value` in DER.
pub(crate) fn from_der(signature: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut fixed = vec![0; 2 * size];
    for (number, place) in pair(signature)?.iter().zip(fixed.chunks_mut(size)) {
        let start = size.checked_sub(number.as_bytes().len())?;
        place[start..].copy_from_slice(number.as_bytes());
    }
    Some(fixed)
}

/// The two numbers of a `SEQUENCE`, which is also the form of an `RSAPublicKey` (RFC 8017, appendix A.1.1).
pub(crate) fn pair(der: &[u8]) -> Option<[UintRef<'_>; 2]> {
    let mut reader = SliceReader::new(der).ok()?;
    let pair = reader.sequence(|reader| {
        Ok::<_, p256::pkcs8::der::Error>([UintRef::decode(reader)?, UintRef::decode(reader)?])
    });
    let pair = pair.ok()?;
    reader.is_finished().then_some(pair)
}
