//! Keys that verify anything, and signatures that are written in another way.

use signature::{KeyType, PrivateKey, PublicKey};

use crate::{Case, said};

/// The order of P-256 (FIPS 186-5).
const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

pub const CASES: &[Case] = &[
    ("signature_as_it_should_be", || signature(|der| der)),
    ("two_numbers_for_der_fail", || {
        signature(|der| {
            let (r, s) = numbers(&der);
            [fixed(r), fixed(s)].concat()
        })
    }),
    ("signature_with_trailing_bytes_fail", || {
        signature(|der| [&der[..], &[0]].concat())
    }),
    ("length_in_two_bytes_fail", || {
        signature(|der| [&der[..1], &[0x81], &der[1..]].concat())
    }),
    ("number_with_a_leading_zero_fail", || {
        signature(|der| {
            let (r, s) = numbers(&der);
            // One zero more than the sign needs.
            encoded(&[&[0, 0], fixed(r).as_slice()].concat(), s)
        })
    }),
    ("number_that_is_zero_fail", || {
        signature(|der| encoded(numbers(&der).0, &[0]))
    }),
    ("number_above_the_order_fail", || {
        signature(|der| {
            let (r, s) = numbers(&der);
            encoded(r, &sum(&fixed(s)))
        })
    }),
    ("digest_of_another_length_signed_fail", || {
        let key = PrivateKey::generate_of(KeyType::P384).unwrap();
        let key = key
            .with_algorithm("ecdsa-der-sha384".parse().unwrap())
            .unwrap();
        let signature = key.sign(b"message").unwrap();
        let public = PublicKey::from_pem(&key.public().to_pem()).unwrap();
        let public = public
            .with_algorithm("ecdsa-der-sha256".parse().unwrap())
            .unwrap();
        said(public.verify(b"message", &signature))
    }),
    ("key_of_small_order_fail", || {
        // The neutral element: any signature with R = s·B verifies.
        let mut point = [0; 32];
        point[0] = 1;
        let prefix = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
        said(PublicKey::from_der([&prefix[..], &point].concat()))
    }),
    ("exponent_of_one_fail", || {
        let key = PrivateKey::generate_of(KeyType::Rsa { bits: 2048 }).unwrap();
        let der = key.public().der();
        // The modulus is before the exponent, which is written in 5 bytes.
        let modulus = &der[der.len() - 5 - 256..der.len() - 5];
        said(PublicKey::from_rsa(modulus, &[1]))
    }),
];

/// What is said of a signature that is written again by `change`.
fn signature(change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> String {
    let key = crate::case::keys().builder;
    let changed = change(key.sign(b"message").unwrap());
    said(key.public().verify(b"message", &changed))
}

/// The contents of both numbers of a signature in DER.
fn numbers(der: &[u8]) -> (&[u8], &[u8]) {
    let length = usize::from(der[3]);
    (&der[4..4 + length], &der[4 + length + 2..])
}

fn encoded(r: &[u8], s: &[u8]) -> Vec<u8> {
    let number = |bytes: &[u8]| {
        let sign = bytes[0] & 0x80 != 0;
        let bytes = [&[0][..usize::from(sign)], bytes].concat();
        [&[2, u8::try_from(bytes.len()).unwrap()], &bytes[..]].concat()
    };
    let both = [number(r), number(s)].concat();
    [&[0x30, u8::try_from(both.len()).unwrap()], &both[..]].concat()
}

fn fixed(number: &[u8]) -> Vec<u8> {
    let start = number.len().saturating_sub(32);
    let mut bytes = vec![0; 32 - (number.len() - start)];
    bytes.extend(&number[start..]);
    bytes
}

/// The number plus the order, which is equal to it in the group.
fn sum(number: &[u8]) -> Vec<u8> {
    let order = (0..32).map(|at| u8::from_str_radix(&ORDER[2 * at..2 * at + 2], 16).unwrap());
    let order: Vec<u8> = order.collect();
    let mut carry = 0;
    let mut sum = Vec::new();
    for (one, other) in number.iter().zip(&order).rev() {
        let digit = u16::from(*one) + u16::from(*other) + carry;
        sum.insert(0, u8::try_from(digit & 0xff).unwrap());
        carry = digit >> 8;
    }
    if carry > 0 {
        sum.insert(0, 1);
    }
    sum
}
