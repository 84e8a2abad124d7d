//! Each type of key and each algorithm, to sign and to verify.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::sync::LazyLock;

use base64::Engine as _;
use signature::{Algorithm, Encoding, Hash, KeyType, PrivateKey, PublicKey};

const MESSAGE: &[u8] = b"what is signed";

/// One key of each type. RSA keys take long to generate.
static PEMS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let key = |kind| {
        PrivateKey::generate_of(kind)
            .unwrap()
            .to_pem()
            .unwrap()
            .to_string()
    };
    KeyType::ALL.map(key).into()
});

fn keys() -> impl Iterator<Item = PrivateKey> {
    PEMS.iter().map(|pem| PrivateKey::from_pem(pem).unwrap())
}

/// All algorithms that a private key may be told to sign with.
fn algorithms() -> Vec<Algorithm> {
    let hashes = [Hash::Sha256, Hash::Sha384, Hash::Sha512];
    let of = |hash| {
        [
            Algorithm::Ecdsa {
                hash,
                encoding: Encoding::Der,
            },
            Algorithm::Ecdsa {
                hash,
                encoding: Encoding::P1363,
            },
            Algorithm::RsaPkcs1 { hash },
            Algorithm::RsaPss { hash, salt: None },
        ]
    };
    hashes
        .into_iter()
        .flat_map(of)
        .chain([Algorithm::Ed25519, Algorithm::Ed25519ph])
        .collect()
}

#[test]
fn each_type_signs_with_its_default() {
    for (key, expected) in keys().zip(KeyType::ALL) {
        assert_eq!(key.public().key_type(), expected);
        let signature = key.sign(MESSAGE).unwrap();
        key.public().verify(MESSAGE, &signature).unwrap();
        assert!(key.public().verify(b"other", &signature).is_err());
        let again = PublicKey::from_pem(&key.public().to_pem()).unwrap();
        assert_eq!(&again, key.public());
        for (other, _) in keys()
            .zip(KeyType::ALL)
            .filter(|(_, kind)| *kind != expected)
        {
            assert!(other.public().verify(MESSAGE, &signature).is_err());
        }
    }
}

/// A signature with one algorithm is refused with every other one of the same key (attack: algorithm confusion).
#[test]
fn a_key_with_an_algorithm_reads_no_other() {
    let mut pairs = 0;
    for pem in PEMS.iter() {
        let public = || PrivateKey::from_pem(pem).unwrap().public().clone();
        for algorithm in algorithms() {
            let key = PrivateKey::from_pem(pem).unwrap().with_algorithm(algorithm);
            let is_made = algorithm.is_for(public().key_type()) && !is_long(algorithm, &public());
            assert_eq!(key.is_ok(), is_made, "{algorithm}");
            let Ok(key) = key else { continue };
            let signature = key.sign(MESSAGE).unwrap();
            for reader in algorithms() {
                let Ok(reading) = public().with_algorithm(reader) else {
                    assert!(!reader.is_for(public().key_type()));
                    continue;
                };
                let verified = reading.verify(MESSAGE, &signature).is_ok();
                assert_eq!(
                    verified,
                    reader == algorithm,
                    "{algorithm} read as {reader}"
                );
                pairs += 1;
            }
        }
    }
    // Two encodings with one, two and three digests for the curves, six schemes for each RSA key, two for Ed25519.
    assert_eq!(pairs, 2 * (1 + 2 + 3) * 6 + 3 * 6 * 6 + 2 * 2);
}

/// Whether the algorithm is ECDSA with a digest that is longer than that of the key's curve.
fn is_long(algorithm: Algorithm, key: &PublicKey) -> bool {
    let own = key.algorithms().find_map(Algorithm::hash);
    matches!(algorithm, Algorithm::Ecdsa { .. }) && algorithm.hash() > own
}

#[test]
fn a_signature_that_is_changed_is_refused() {
    for key in keys() {
        let signature = key.sign(MESSAGE).unwrap();
        for index in [0, 1, signature.len() / 2, signature.len() - 1] {
            let mut changed = signature.clone();
            changed[index] ^= 1;
            assert!(key.public().verify(MESSAGE, &changed).is_err());
        }
        for changed in [&signature[1..], &[], &[&signature[..], &[0]].concat()] {
            assert!(key.public().verify(MESSAGE, changed).is_err());
        }
    }
}

#[test]
fn p1363_is_two_numbers_of_the_curves_length() {
    for (key, size) in keys().zip([32, 48, 66]) {
        let Algorithm::Ecdsa { hash, .. } = key.public().algorithms().next().unwrap() else {
            panic!("no curve");
        };
        let key = key
            .with_algorithm(Algorithm::Ecdsa {
                hash,
                encoding: Encoding::P1363,
            })
            .unwrap();
        let signature = key.sign(MESSAGE).unwrap();
        assert_eq!(signature.len(), 2 * size);
        let padded = [&[0], &signature[..size], &[0], &signature[size..]].concat();
        assert!(key.public().verify(MESSAGE, &padded).is_err());
        assert!(key.public().verify(MESSAGE, &vec![0; 2 * size]).is_err());
    }
}

/// By default a key on P-384 or P-521 reads SHA-256 as well, as sigstore-go does.
#[test]
fn larger_curves_read_sha_256_by_default() {
    let names = |pem: &String| {
        let key = PrivateKey::from_pem(pem).unwrap();
        let names: Vec<_> = key
            .public()
            .algorithms()
            .map(|name| name.to_string())
            .collect();
        names.join(" ")
    };
    let names: Vec<_> = PEMS.iter().map(names).collect();
    assert_eq!(
        names,
        [
            "ecdsa-der-sha256",
            "ecdsa-der-sha384 ecdsa-der-sha256",
            "ecdsa-der-sha512 ecdsa-der-sha256",
            "rsa-pkcs1-sha256",
            "rsa-pkcs1-sha256",
            "rsa-pkcs1-sha256",
            "ed25519 ed25519ph",
        ]
    );
}

#[test]
fn a_private_key_does_not_sign_with_a_salt_of_another_length() {
    let rsa = PrivateKey::from_pem(&PEMS[3]).unwrap();
    let error = rsa
        .with_algorithm("rsa-pss-sha256-salt20".parse().unwrap())
        .err()
        .unwrap();
    assert_eq!(
        error.to_string(),
        "a private key of type rsa-2048 does not sign with rsa-pss-sha256-salt20"
    );
}

/// RFC 8032, section 7.3.
#[test]
fn ed25519ph_is_that_of_the_rfc() {
    let seed = "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42";
    let der = hex::decode(format!("302e020100300506032b657004220420{seed}")).unwrap();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        base64::engine::general_purpose::STANDARD.encode(der)
    );
    let key = PrivateKey::from_pem(&pem).unwrap();
    let key = key.with_algorithm(Algorithm::Ed25519ph).unwrap();
    let signature = key.sign(b"abc").unwrap();
    assert_eq!(
        hex::encode(&signature),
        "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41\
         31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406"
    );
    key.public().verify(b"abc", &signature).unwrap();
}

#[test]
fn a_digest_is_verified_as_the_message() {
    for (kind, algorithm, hash) in [
        (KeyType::P256, "ecdsa-der-sha256", Hash::Sha256),
        (KeyType::P384, "ecdsa-der-sha256", Hash::Sha256),
        (KeyType::P384, "ecdsa-p1363-sha384", Hash::Sha384),
        (KeyType::P521, "ecdsa-der-sha512", Hash::Sha512),
        (KeyType::Rsa { bits: 2048 }, "rsa-pss-sha512", Hash::Sha512),
    ] {
        let key = PrivateKey::generate_of(kind).unwrap();
        let key = key.with_algorithm(algorithm.parse().unwrap()).unwrap();
        let signature = key.sign(b"message").unwrap();
        let verify = |hash: Hash, message: &[u8]| {
            let digest = hash.digest(message);
            key.public().verify_digest(hash, &digest, &signature)
        };
        verify(hash, b"message").unwrap();
        assert!(verify(hash, b"massage").is_err());
        let others = [Hash::Sha256, Hash::Sha384, Hash::Sha512];
        for other in others.into_iter().filter(|other| *other != hash) {
            assert!(verify(other, b"message").is_err(), "{algorithm} {other}");
        }
        let of_nothing = key.sign(b"").unwrap();
        for other in others.into_iter().filter(|other| *other != hash) {
            let digest = other.digest(b"message");
            let verified = key.public().verify_digest(other, &digest, &of_nothing);
            assert!(verified.is_err(), "{algorithm} {other}");
        }
        let short = &hash.digest(b"message")[1..];
        assert!(key.public().verify_digest(hash, short, &signature).is_err());
    }
    for algorithm in [Algorithm::Ed25519, Algorithm::Ed25519ph] {
        let key = PrivateKey::generate_of(KeyType::Ed25519).unwrap();
        let key = key.with_algorithm(algorithm).unwrap();
        for signed in [&b"message"[..], b""] {
            let signature = key.sign(signed).unwrap();
            let digest = Hash::Sha512.digest(b"message");
            let key = key.public();
            let verified = key.verify_digest(Hash::Sha512, &digest, &signature);
            assert!(verified.is_err());
        }
    }
}
