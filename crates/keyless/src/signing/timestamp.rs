use content::Digest;
use x509_cert::der::asn1::AnyRef;
use x509_cert::der::{Decode as _, Error, SliceReader};

use super::{ANSWER, Invalid};

/// The request before the digest: version 1, and SHA-256 with its parameters (RFC 3161, section 2.4.1; RFC 5754,
/// section 2).
const BEFORE: [u8; 24] = [
    0x30, 0x39, 0x02, 0x01, 0x01, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
    0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
];
/// And after it: the authority's certificate is wanted. There is no nonce: a timestamp cannot be older than the signature
/// that it names.
const AFTER: [u8; 3] = [0x01, 0x01, 0xff];

/// A response of a timestamp authority, which says that it contains a timestamp. It is not verified.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Timestamp(Vec<u8>);

/// The request for a timestamp of a signature, in DER.
pub fn timestamp_request(signature: &[u8]) -> Vec<u8> {
    let digest = Digest::of(signature);
    [&BEFORE[..], digest.as_bytes(), &AFTER].concat()
}

impl Timestamp {
    /// Reads the response of an authority.
    ///
    /// # Errors
    /// It is larger than [`ANSWER`], malformed, or contains no timestamp.
    pub fn parse(answer: Vec<u8>) -> Result<Self, Invalid> {
        let malformed = |found: &dyn std::fmt::Display| {
            Invalid::new(format!("parsing the timestamp authority's answer: {found}"))
        };
        if answer.len() as u64 > ANSWER {
            return Err(malformed(&format_args!("more than {ANSWER} bytes")));
        }
        // Granted, or granted with modifications (RFC 3161, section 2.4.2).
        match status(&answer) {
            Ok(0 | 1) => Ok(Self(answer)),
            Ok(status) => Err(malformed(&format_args!(
                "the status is {status}, not granted"
            ))),
            Err(error) => Err(malformed(&error)),
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The status, which is the first member of the first member.
fn status(answer: &[u8]) -> Result<u8, Error> {
    let response = AnyRef::from_der(answer)?;
    let mut members = SliceReader::new(response.value())?;
    let info = AnyRef::decode(&mut members)?;
    u8::decode(&mut SliceReader::new(info.value())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_that_of_openssl() {
        // `openssl ts -query -data FILE -sha256 -no_nonce -cert`, where FILE has the bytes "signature".
        let expected = "30390201013031300d0609608648016503040201050004201a2fc26dc7ea5a2a4748b7cb2b1ef193d96ab2c99f93092f69e63075b28d12780101ff";
        assert_eq!(hex::encode(timestamp_request(b"signature")), expected);
    }

    #[test]
    fn only_a_granted_timestamp_is_read() {
        let answer = |status: u8| vec![0x30, 0x05, 0x30, 0x03, 0x02, 0x01, status];
        assert!(Timestamp::parse(answer(0)).is_ok());
        assert!(Timestamp::parse(answer(1)).is_ok());
        let refused = Timestamp::parse(answer(2)).unwrap_err().to_string();
        assert!(
            refused.ends_with("the status is 2, not granted"),
            "{refused}"
        );
        for answer in [
            &b""[..],
            b"<html>",
            &[0x30, 0x00],
            &[0x30, 0x02, 0x30, 0x00],
            &[0x30; 300_000],
        ] {
            assert!(Timestamp::parse(answer.to_vec()).is_err());
        }
    }
}
