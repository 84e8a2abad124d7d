//! Keys whose algorithm is `id-RSASSA-PSS`: what they sign with, and which parameters are read.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use content::Digest;
use signature::simple_signing::signature_algorithm;
use signature::{Algorithm, Hash, KeyType, PrivateKey, PssParameters, PublicKey};

const MESSAGE: &[u8] = b"what is signed";
const SHA1: &str = "06052b0e03021a";
const SHA256: &str = "0609608648016503040201";
const SHA512: &str = "0609608648016503040203";
const MGF1: &str = "06092a864886f70d010108";
/// `id-RSASSA-PSS`.
const PSS: &str = "06092a864886f70d01010a";

/// One value in DER, in hex.
fn tlv(tag: u8, parts: &[&str]) -> String {
    let value = parts.concat();
    format!("{tag:02x}{:02x}{value}", value.len() / 2)
}

fn sequence(parts: &[&str]) -> String {
    tlv(0x30, parts)
}

fn hash(oid: &str) -> String {
    tlv(0xa0, &[&sequence(&[oid, "0500"])])
}

fn mask(oid: &str) -> String {
    tlv(0xa1, &[&sequence(&[MGF1, &sequence(&[oid, "0500"])])])
}

fn salt(length: &str) -> String {
    tlv(0xa2, &[&tlv(2, &[length])])
}

/// A plain RSA key.
fn plain() -> String {
    let key = PrivateKey::generate_of(KeyType::Rsa { bits: 2048 }).unwrap();
    key.to_pem().unwrap().to_string()
}

/// The same key with `id-RSASSA-PSS` and these parameters.
fn pss(plain: &str, parameters: &str) -> String {
    testkit::pss(plain, &hex::decode(parameters).unwrap())
}

fn names(key: &PublicKey) -> String {
    let names: Vec<_> = key.algorithms().map(|name| name.to_string()).collect();
    names.join(" ")
}

fn named(key: &PublicKey, name: &str) -> Result<PublicKey, signature::Error> {
    key.clone().with_algorithm(name.parse().unwrap())
}

#[test]
fn a_key_without_parameters_signs_with_pss_and_nothing_else() {
    let pem = pss(&plain(), "");
    let key = PrivateKey::from_pem(&pem).unwrap();
    let public = key.public().clone();
    assert_eq!(public.key_type().to_string(), "rsa-pss-2048");
    assert_eq!(
        names(&public),
        "rsa-pss-sha256 rsa-pss-sha384 rsa-pss-sha512"
    );
    assert_eq!(public.rsa_exponent(), Some(65_537));
    assert_eq!(signature_algorithm(&public), None);
    public.verify(MESSAGE, &key.sign(MESSAGE).unwrap()).unwrap();
    for name in ["rsa-pss-sha256", "rsa-pss-sha384", "rsa-pss-sha512"] {
        let key = PrivateKey::from_pem(&pem).unwrap();
        let key = key.with_algorithm(name.parse().unwrap()).unwrap();
        let signature = key.sign(MESSAGE).unwrap();
        public.verify(MESSAGE, &signature).unwrap();
        assert!(public.verify(b"other", &signature).is_err());
        named(&public, name)
            .unwrap()
            .verify(MESSAGE, &signature)
            .unwrap();
    }
    assert!(named(&public, "rsa-pss-sha256-salt20").is_ok());
    for name in ["rsa-pkcs1-sha256", "ecdsa-der-sha256", "ed25519"] {
        let error = named(&public, name).unwrap_err().to_string();
        let expected = format!("a key of type rsa-pss-2048 does not sign with {name}");
        assert_eq!(error, expected);
        let key = PrivateKey::from_pem(&pem).unwrap();
        assert!(key.with_algorithm(name.parse().unwrap()).is_err());
    }
}

/// The modulus as a plain RSA key signs with PKCS #1 v1.5; the key with `id-RSASSA-PSS` has none of these signatures.
#[test]
fn a_signature_of_pkcs_1_is_refused() {
    let plain = plain();
    let key = PrivateKey::from_pem(&pss(&plain, "")).unwrap();
    let public = key.public();
    let plain = PrivateKey::from_pem(&plain).unwrap();
    let signature = plain.sign(MESSAGE).unwrap();
    plain.public().verify(MESSAGE, &signature).unwrap();
    assert!(public.verify(MESSAGE, &signature).is_err());
    assert_ne!(public.key_id(), plain.public().key_id());
    assert!(public.is_held_with(plain.public()));
    let with_pss = plain.with_algorithm("rsa-pss-sha256".parse().unwrap());
    let signature = with_pss.unwrap().sign(MESSAGE).unwrap();
    public.verify(MESSAGE, &signature).unwrap();
}

#[test]
fn parameters_fix_digest_and_salt() {
    let parameters = sequence(&[&hash(SHA256), &mask(SHA256), &salt("28")]);
    let pem = pss(&plain(), &parameters);
    let key = PrivateKey::from_pem(&pem).unwrap();
    let public = key.public();
    let fixed = PssParameters {
        hash: Hash::Sha256,
        salt: 40,
    };
    let expected = KeyType::RsaPss {
        bits: 2048,
        parameters: Some(fixed),
    };
    assert_eq!(public.key_type(), expected);
    assert_eq!(names(public), "rsa-pss-sha256-salt40");
    let signature = key.sign(MESSAGE).unwrap();
    public.verify(MESSAGE, &signature).unwrap();
    // A longer salt must be named: by default there is one length.
    assert!(
        named(public, "rsa-pss-sha256-salt41")
            .unwrap()
            .verify(MESSAGE, &signature)
            .is_err()
    );
    for name in [
        "rsa-pss-sha256-salt39",
        // A salt as long as the digest is too short.
        "rsa-pss-sha256",
        "rsa-pss-sha512",
        "rsa-pss-sha512-salt40",
        "rsa-pkcs1-sha256",
    ] {
        let error = named(public, name).unwrap_err().to_string();
        let key = "a key of type rsa-pss-2048-sha256-salt40";
        assert_eq!(error, format!("{key} does not sign with {name}"));
    }
    let own: Algorithm = "rsa-pss-sha256-salt40".parse().unwrap();
    assert!(
        PrivateKey::from_pem(&pem)
            .unwrap()
            .with_algorithm(own)
            .is_ok()
    );
    let longer = "rsa-pss-sha256-salt41".parse().unwrap();
    assert!(
        PrivateKey::from_pem(&pem)
            .unwrap()
            .with_algorithm(longer)
            .is_err()
    );
}

/// A key comes back with its own parameters, and its ID is over them.
#[test]
fn the_key_is_kept_as_it_was_given() {
    for parameters in ["".to_owned(), sequence(&[&hash(SHA512), &mask(SHA512)])] {
        let key = PrivateKey::from_pem(&pss(&plain(), &parameters)).unwrap();
        let again = PrivateKey::from_pem(&key.to_pem().unwrap()).unwrap();
        assert_eq!(again.public(), key.public());
        let public = PublicKey::from_pem(&key.public().to_pem()).unwrap();
        assert_eq!(&public, key.public());
        assert_eq!(public.key_id(), Digest::of(public.der()));
        let algorithm = sequence(&[PSS, &parameters]);
        assert!(hex::encode(public.der()).contains(&algorithm));
    }
}

#[test]
fn parameters_are_read_or_refused_with_a_reason() {
    let key = PrivateKey::generate_of(KeyType::Rsa { bits: 2048 }).unwrap();
    let plain = key.public().to_pem();
    let read = |parameters: &str| {
        let key = PublicKey::from_pem(&pss(&plain, parameters));
        key.map(|key| names(&key))
            .map_err(|error| error.to_string())
    };
    let (hashed, masked) = (hash(SHA256), mask(SHA256));
    let both = format!("{hashed}{masked}");
    let without_null = [
        tlv(0xa0, &[&sequence(&[SHA256])]),
        tlv(0xa1, &[&sequence(&[MGF1, &sequence(&[SHA256])])]),
    ];
    let trailer = |number: &str| tlv(0xa3, &[&tlv(2, &[number])]);
    for (parameters, expected) in [
        (both.clone(), "rsa-pss-sha256-salt20"),
        (without_null.concat(), "rsa-pss-sha256-salt20"),
        (both.clone() + &salt("00"), "rsa-pss-sha256-salt0"),
        (both.clone() + &salt("14"), "rsa-pss-sha256-salt20"),
        (both.clone() + &trailer("01"), "rsa-pss-sha256-salt20"),
        // 256 bytes without digest and two bytes.
        (both.clone() + &salt("00de"), "rsa-pss-sha256-salt222"),
    ] {
        assert_eq!(read(&sequence(&[&parameters])).as_deref(), Ok(expected));
    }
    let other_mask = tlv(0xa1, &[&sequence(&[PSS, &sequence(&[SHA256])])]);
    for (parameters, reason) in [
        (String::new(), "unsupported digest algorithm sha1"),
        (hash(SHA1), "unsupported digest algorithm sha1"),
        (hash("0603550403"), "unsupported digest algorithm 2.5.4.3"),
        (hashed.clone(), "MGF1 with sha1: expected sha256"),
        (
            format!("{hashed}{}", mask(SHA512)),
            "MGF1 with sha512: expected sha256",
        ),
        (hashed.clone() + &other_mask, "other than MGF1"),
        (both.clone() + &trailer("02"), "trailer 2"),
        (
            both.clone() + &salt("00df"),
            "a salt of 223 bytes does not fit",
        ),
        (both.clone() + &salt("ff"), "not RSASSA-PSS-params in DER"),
        (both.clone() + &salt("0014"), "not RSASSA-PSS-params in DER"),
        (
            both.clone() + &salt("010000"),
            "not RSASSA-PSS-params in DER",
        ),
        (
            both.clone() + &tlv(0xa2, &[&tlv(2, &["14"]), "0500"]),
            "not RSASSA-PSS-params in DER",
        ),
        (masked + &hashed, "not RSASSA-PSS-params in DER"),
        (both.clone() + "0500", "not RSASSA-PSS-params in DER"),
        (
            tlv(0xa0, &[&sequence(&[SHA256, "020101"])]),
            "has parameters",
        ),
    ] {
        let refused = read(&sequence(&[&parameters])).unwrap_err();
        assert!(refused.contains(reason), "{parameters}: {refused}");
    }
    for parameters in ["0500", "020101"] {
        let refused = read(parameters).unwrap_err();
        assert!(
            refused.contains("not RSASSA-PSS-params in DER"),
            "{refused}"
        );
    }
}
