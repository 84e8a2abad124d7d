//! Keys in PEM: what is read, and what is refused.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use content::limits;
use signature::{Error, KeyType, PrivateKey, PublicKey};

#[test]
fn comes_back_as_it_was() {
    let key = PrivateKey::generate().unwrap();
    let again = PrivateKey::from_pem(&key.to_pem().unwrap()).unwrap();
    assert_eq!(again.public(), key.public());
    let pem = key.public().to_pem();
    let windows = format!("\n{}  \n", pem.replace('\n', "\r\n"));
    for text in [&pem, &windows] {
        assert_eq!(&PublicKey::from_pem(text).unwrap(), key.public());
    }
}

#[test]
fn signs_like_rfc_6979() {
    // RFC 6979, A.2.5, message "sample" with SHA-256; the key as openssl writes it.
    let pem = "-----BEGIN EC PRIVATE KEY-----\n\
        MHcCAQEEIMmvqdhFunUWa1whV2ex1pNOUMPbNuibEnuKYisSD2choAoGCCqGSM49\n\
        AwEHoUQDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A/4QCLi8\n\
        maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n-----END EC PRIVATE KEY-----\n";
    let signature = PrivateKey::from_pem(pem).unwrap().sign(b"sample").unwrap();
    assert_eq!(
        hex::encode(signature),
        "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
         022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
    );
}

#[test]
fn refuses_other_keys_and_other_encodings() {
    let pem = PrivateKey::generate().unwrap().public().to_pem();
    for text in [
        String::new(),
        pem.repeat(2),
        pem.replace("PUBLIC KEY", "PRIVATE KEY"),
        pem.replacen('\n', "", 2),
        pem.replace("MFkw", "MFkx"),
        pem.replace("END PUBLIC", "END PRIVATE"),
        pem.replace("-----END PUBLIC KEY-----", ""),
        format!("-----BEGIN X-----\nAAAA\n{pem}"),
        pem.replace('\n', "\r"),
    ] {
        assert!(
            matches!(PublicKey::from_pem(&text), Err(Error::Invalid(_))),
            "{text}"
        );
    }
    let large = pem + &" ".repeat(limits::KEY as usize);
    assert!(matches!(
        PublicKey::from_pem(&large),
        Err(Error::Invalid(_))
    ));
}

/// With the base64 of each block on one line.
fn unwrapped(pem: &str) -> String {
    let lines = pem.lines().map(|line| match line.starts_with("-----") {
        true => format!("\n{line}\n"),
        false => line.to_owned(),
    });
    lines.collect()
}

#[test]
fn reads_base64_on_one_line() {
    let key = PrivateKey::generate().unwrap();
    let public = unwrapped(&key.public().to_pem());
    assert_eq!(public.trim().lines().count(), 3);
    assert_eq!(&PublicKey::from_pem(&public).unwrap(), key.public());
    for pem in [&*key.to_pem().unwrap(), PARAMETERS_AND_KEY] {
        let expected = PrivateKey::from_pem(pem).unwrap();
        let again = PrivateKey::from_pem(&unwrapped(pem)).unwrap();
        assert_eq!(again.public(), expected.public());
    }
}

/// What `openssl ecparam -name prime256v1 -genkey` writes.
const PARAMETERS_AND_KEY: &str = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n\
    -----END EC PARAMETERS-----\n-----BEGIN EC PRIVATE KEY-----\n\
    MHcCAQEEIMmvqdhFunUWa1whV2ex1pNOUMPbNuibEnuKYisSD2choAoGCCqGSM49\n\
    AwEHoUQDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A/4QCLi8\n\
    maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n-----END EC PRIVATE KEY-----\n";

#[test]
fn parameters_are_no_key() {
    let parameters = PARAMETERS_AND_KEY.split_inclusive("PARAMETERS-----\n");
    let parameters: String = parameters.take(2).collect();
    let key = PARAMETERS_AND_KEY.strip_prefix(&parameters).unwrap();
    assert!(PrivateKey::from_pem(PARAMETERS_AND_KEY).is_ok());
    for text in [
        parameters.clone(),
        key.repeat(2),
        PARAMETERS_AND_KEY.replace("EC PRIVATE KEY", "PRIVATE KEY"),
    ] {
        let error = PrivateKey::from_pem(&text).err();
        assert!(matches!(error, Some(Error::Invalid(_))), "{text}");
    }
}

/// Forms that `openssl pkey` reads: as `-text` prints a key, as `openssl pkcs12` exports it, as editors and
/// mail change it, and in one file with other keys.
fn forms(pem: &str, other: &str) -> [String; 13] {
    [
        pem.replacen('\n', "\n\n", 1),
        pem.replace('\n', "  \n"),
        pem.replace('\n', "\t\r\n"),
        pem.replacen('\n', "\n  ", 1),
        pem.trim_end().to_owned(),
        format!("\u{feff}{pem}"),
        format!("Bag Attributes\n    localKeyID: 01\nKey Attributes: <No Attributes>\n{pem}"),
        format!("{pem}Private-Key: (256 bit)\npriv:\n    1e:99\nASN1 OID: prime256v1\n"),
        format!("{pem}MFkw"),
        format!("{pem}{other}"),
        format!("{other}{pem}"),
        format!("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n{pem}"),
        format!(
            "-----BEGIN X PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END X PRIVATE KEY-----\n{pem}"
        ),
    ]
}

#[test]
fn reads_what_openssl_reads() {
    let key = PrivateKey::generate().unwrap();
    let (private, public) = (key.to_pem().unwrap(), key.public().to_pem());
    for text in forms(&public, &private) {
        let read = PublicKey::from_pem(&text);
        assert_eq!(
            &read.unwrap_or_else(|e| panic!("{e}: {text}")),
            key.public()
        );
    }
    for text in forms(&private, &public) {
        let read = PrivateKey::from_pem(&text);
        assert_eq!(read.ok().unwrap().public(), key.public());
    }
}

#[test]
fn a_bare_key_has_nothing_beside_it() {
    let key = PrivateKey::generate().unwrap();
    let (private, public) = (key.to_pem().unwrap(), key.public().to_pem());
    for text in [&public, &format!("\n{} ", public.replace('\n', "\r\n"))] {
        assert_eq!(&PublicKey::from_bare_pem(text).unwrap(), key.public());
    }
    for text in [
        format!("{}{public}", &*private),
        format!("{public}{}", &*private),
        format!("{public}more"),
        format!("key:\n{public}"),
        public.repeat(2),
    ] {
        assert!(PublicKey::from_bare_pem(&text).is_err(), "{text}");
    }
}

#[test]
fn refuses_encrypted_keys_by_name() {
    let traditional = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
        DEK-Info: AES-256-CBC,4C2F9D0A1B2C3D4E5F60718293A4B5C6\n\nAAAA\n\
        -----END EC PRIVATE KEY-----\n";
    let parameters = format!(
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{traditional}"
    );
    let labelled = |label: &str| {
        format!("-----BEGIN {label} PRIVATE KEY-----\neyJ9\n-----END {label} PRIVATE KEY-----\n")
    };
    for pem in [labelled("ENCRYPTED SIGSTORE"), labelled("ENCRYPTED COSIGN")] {
        let error = PrivateKey::from_pem(&pem).err();
        assert!(matches!(error, Some(Error::Encrypted)), "{pem}");
    }
    for pem in [labelled("ENCRYPTED"), traditional.to_owned(), parameters] {
        let error = PrivateKey::from_pem(&pem).err();
        assert!(matches!(error, Some(Error::Encryption)), "{pem}");
    }
}

/// One value in DER.
fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = match u8::try_from(value.len()) {
        Ok(length @ ..0x80) => vec![length],
        Ok(length) => vec![0x81, length],
        Err(_) => [&[0x82][..], &(value.len() as u16).to_be_bytes()].concat(),
    };
    [&[tag][..], &length, value].concat()
}

#[test]
fn exponents_of_rsa_are_odd_and_not_1() {
    let key = PrivateKey::generate_of(KeyType::Rsa { bits: 2048 }).unwrap();
    let der = key.public().der();
    let modulus = &der[der.len() - 5 - 257..der.len() - 5];
    let with = |exponent: &[u8]| {
        let pair = [tlv(2, modulus), tlv(2, exponent)].concat();
        let bits = [&[0][..], &tlv(0x30, &pair)].concat();
        let rsa = tlv(
            0x30,
            &[
                tlv(6, &hex::decode("2a864886f70d010101").unwrap()),
                tlv(5, &[]),
            ]
            .concat(),
        );
        PublicKey::from_der(tlv(0x30, &[rsa, tlv(3, &bits)].concat()))
    };
    assert_eq!(&with(&[1, 0, 1]).unwrap(), key.public());
    assert!(with(&[3]).is_ok());
    for exponent in [
        &[1][..],
        &[0],
        &[2],
        &[1, 0, 0],
        &[0, 0x80, 0, 0, 1],
        &[1, 0, 0, 0, 0, 1],
        &[0x81],
    ] {
        let error = with(exponent).unwrap_err().to_string();
        let expected = ["odd RSA exponent", "not an RSAPublicKey"];
        assert!(
            expected.iter().any(|text| error.contains(text)),
            "{exponent:?}: {error}"
        );
    }
}

/// The points of small order, and other encodings of points (Chalkias and others, "Taming the many EdDSAs").
#[test]
fn keys_of_ed25519_are_reduced_and_not_of_small_order() {
    let read = |point: &str| {
        let der = hex::decode(format!("302a300506032b6570032100{point}")).unwrap();
        PublicKey::from_der(der)
    };
    let zeros = "00".repeat(30);
    let ones = "ff".repeat(30);
    let eights = [
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ];
    let ends = [("00", "00"), ("00", "80"), ("01", "00"), ("01", "80")];
    let small = ends.map(|(start, end)| format!("{start}{zeros}{end}"));
    let starts = ["ec", "ed", "ee", "ff"];
    let large = starts.map(|start| format!("{start}{ones}7f"));
    let negative = starts.map(|start| format!("{start}{ones}ff"));
    let all = eights
        .map(str::to_owned)
        .into_iter()
        .chain(small)
        .chain(large)
        .chain(negative);
    for point in all {
        let error = read(&point).unwrap_err().to_string();
        assert!(
            error.contains("not reduced, or of small order"),
            "{point}: {error}"
        );
    }
    // Of RFC 8032, section 7.1, test 1.
    let good = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    assert_eq!(read(good).unwrap().key_type(), KeyType::Ed25519);
    assert!(read(&good[2..]).is_err());
}
