//! RSA keys that sign with RSASSA-PSS only (RFC 4055, section 1.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// `rsaEncryption` with parameters that are NULL, in DER.
const RSA: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\0";
/// `id-RSASSA-PSS`, in DER.
const PSS: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
/// The outer tag, and the first byte of a length in two more bytes.
const SEQUENCE: [u8; 2] = [0x30, 0x82];

/// The same key with `id-RSASSA-PSS` and these parameters in DER. The key is an RSA key in one block of PEM, public or
/// private (PKCS #8).
///
/// # Panics
/// It is another key.
pub fn pss(pem: &str, parameters: &[u8]) -> String {
    let lines: Vec<_> = pem.trim_end().lines().collect();
    let [begin, text @ .., end] = &lines[..] else {
        panic!("no PEM: {pem}");
    };
    let der = STANDARD.decode(text.concat()).unwrap_or_default();
    let start = der.windows(RSA.len()).position(|found| found == RSA);
    let start = start.filter(|_| der.starts_with(&SEQUENCE));
    let (Some(start), Ok(length)) = (start, u8::try_from(PSS.len() + parameters.len())) else {
        panic!("no key of rsaEncryption: {pem}");
    };
    assert!(length < 0x80, "the parameters are too long");
    let (before, after) = (&der[4..start], &der[start + RSA.len()..]);
    let body = [before, &[0x30, length], PSS, parameters, after].concat();
    let length = u16::try_from(body.len()).unwrap_or(u16::MAX);
    let der = [&SEQUENCE[..], &length.to_be_bytes(), &body].concat();
    format!("{begin}\n{}\n{end}\n", STANDARD.encode(der))
}
