//! Keys that cosign encrypted.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use signature::{Error, PrivateKey};

/// What cosign 3.1.3 wrote for `import-key-pair`, with the password `pw`.
const P256: (&str, &str) = (
    "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n\
     eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6\n\
     OCwicCI6MX0sInNhbHQiOiJVWkt0eFlFMlZoVjcrMUp2OWV4NkQwOHNGUjJrMUh2\n\
     YVQ2UThMVGxRblRzPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94\n\
     Iiwibm9uY2UiOiJmVGtTWXVJUG53YmkvVDk5T3pUa0wzb0ZhNjl0eWFLSCJ9LCJj\n\
     aXBoZXJ0ZXh0Ijoidjc4M3pGRFpnL2NtV0JvdytHcVdXY2IyNTdLamI2Ym1LQlNx\n\
     aUVlRERodzRXNys1MUUyRmVFTFEvbGhIM3AvV3BjYW9tSm8xNXd4b3FPd1ZpVGN0\n\
     a3lHejkzSE51TWwzM0ZoMGVOMDlmelFCWUw0UG4xRFZ1cTZEdlhNMERqVlNwamZN\n\
     NmIxaEM4bUx5clRrT0ltakh5azJ5Rit3VldzNTNOWmNMMXZxNkoxaDlhV2l1d3FN\n\
     TWxxVFpxU2p5T1BtMWNMeFY3S3lZVHlQV2c9PSJ9\n\
     -----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n",
    "-----BEGIN PUBLIC KEY-----\n\
     MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaZ6IvhtxuUaooCYmMILjqX9IkPdJ\n\
     /+SVYjKT3Crz2VfPfzfsaQ1ldV6cnzj6H3f0XjNyHI/BSh68+xEwXMX46g==\n\
     -----END PUBLIC KEY-----\n",
);
const ED25519: (&str, &str) = (
    "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n\
     eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6\n\
     OCwicCI6MX0sInNhbHQiOiIxaERQYnczYTdtVHdudDdRZmlMOGsvaVg0R0JxdnUw\n\
     b1hSekdZMDBQWUJnPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94\n\
     Iiwibm9uY2UiOiJLOVV6RU9hTnN6Q0hqRmdjUWg1aUx1QTI2WEFxNURDMiJ9LCJj\n\
     aXBoZXJ0ZXh0IjoibzhTeis4WTVHZEk2N3lHNEFJSUV1Wk9pMFVSaktVckNyL3JE\n\
     NDRpYzExWHBpVlNTUHlIeGtFWDhMZjBhMEd1MGF5OWwzdGs5ZkdJSUVGNzc0WTJ0\n\
     Mnc9PSJ9\n\
     -----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n",
    "-----BEGIN PUBLIC KEY-----\n\
     MCowBQYDK2VwAyEA7Pf51ndEVVVvdU/Gt93tF5rgYhrBdXPGsQcFNLcD898=\n\
     -----END PUBLIC KEY-----\n",
);

#[test]
fn a_password_opens_a_key() {
    for (private, public) in [P256, ED25519] {
        let old = private.replace("SIGSTORE", "COSIGN");
        for pem in [
            private,
            &old,
            &format!("more\n{private}"),
            &private.replace('\n', "\r\n"),
        ] {
            let key = PrivateKey::decrypt(pem, b"pw").unwrap();
            assert_eq!(key.public().to_pem(), public);
            assert!(matches!(PrivateKey::from_pem(pem), Err(Error::Encrypted)));
        }
    }
}

#[test]
fn another_password_does_not() {
    for password in [&b"PW"[..], b"", b"pw\n"] {
        let error = PrivateKey::decrypt(P256.0, password).err().unwrap();
        assert!(matches!(error, Error::Password), "{error}");
    }
}

/// The document in the block, with `from` replaced by `to`.
fn changed(from: &str, to: &str) -> Error {
    let text: String = P256
        .0
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let text = String::from_utf8(STANDARD.decode(text).unwrap()).unwrap();
    assert_eq!(text.matches(from).count(), 1, "{text}");
    let text = STANDARD.encode(text.replace(from, to));
    let label = "ENCRYPTED SIGSTORE PRIVATE KEY";
    let pem = format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n");
    PrivateKey::decrypt(&pem, b"pw").err().unwrap()
}

#[test]
fn parameters_are_limited() {
    for (from, to, reason) in [
        ("\"N\":65536", "\"N\":65535", "N is not a power of two"),
        ("\"N\":65536", "\"N\":0", "N is not a power of two"),
        ("\"N\":65536", "\"N\":2147483648", "256 MiB"),
        ("\"r\":8", "\"r\":4000000000", "256 MiB"),
        ("\"p\":1", "\"p\":4000000000", "256 MiB"),
        ("\"p\":1", "\"p\":0", "parameters of scrypt"),
        (
            "\"N\":65536",
            "\"N\":65536,\"N\":2",
            "parsing encrypted private key",
        ),
        ("scrypt", "pbkdf2", "expected scrypt and nacl/secretbox"),
        ("secretbox", "box", "expected scrypt and nacl/secretbox"),
        ("\"nonce\":\"", "\"nonce\":\"AAAA", "nonce of 24 bytes"),
        ("\"salt\":\"", "\"salt\":\"*", "not base64"),
    ] {
        let error = changed(from, to).to_string();
        assert!(error.contains(reason), "{to}: {error}");
    }
    assert!(matches!(changed("\"r\":8", "\"r\":4"), Error::Password));
}

#[test]
fn other_blocks_are_not_opened() {
    let twice = P256.0.repeat(2);
    let plain = PrivateKey::generate().unwrap().to_pem().unwrap();
    for pem in [&twice, &*plain, ""] {
        let error = PrivateKey::decrypt(pem, b"pw").err().unwrap();
        assert!(matches!(error, Error::Invalid(_)), "{error}");
    }
}
