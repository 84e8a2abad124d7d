//! Keys and signatures of openssl, both ways.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use signature::{Algorithm, PrivateKey, PublicKey};

const MESSAGE: &[u8] = b"what is signed\n";

fn run(folder: &Path, words: &str) -> Output {
    let mut command = Command::new("openssl");
    command.args(words.split_whitespace()).current_dir(folder);
    command.output().unwrap()
}

fn openssl(folder: &Path, words: &str) {
    let output = run(folder, words);
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {words}: {printed}");
}

/// A folder with the message; `None`, reported as a skip, if openssl is not installed.
fn folder(test: &str) -> Option<tempfile::TempDir> {
    if Command::new("openssl").arg("version").output().is_err() {
        testkit::skip(test, format_args!("openssl is not installed"));
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("message"), MESSAGE).unwrap();
    Some(folder)
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

/// Algorithms with the options of openssl.
type Algorithms = &'static [(&'static str, &'static str)];

/// How to make a key, how to write its traditional form if it has one, and its algorithms.
const KEYS: [(&str, &str, Algorithms); 9] = [
    (
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        "pkey -traditional",
        &[("ecdsa-der-sha256", "-sha256")],
    ),
    (
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384",
        "pkey -traditional",
        &[("ecdsa-der-sha384", "-sha384")],
    ),
    (
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521",
        "pkey -traditional",
        &[("ecdsa-der-sha512", "-sha512")],
    ),
    (
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048",
        "pkey -traditional",
        &[
            ("rsa-pkcs1-sha256", "-sha256"),
            ("rsa-pkcs1-sha512", "-sha512"),
            (
                "rsa-pss-sha256",
                "-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest",
            ),
            (
                "rsa-pss-sha384",
                "-sha384 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest",
            ),
        ],
    ),
    (
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072",
        "pkey -traditional",
        &[("rsa-pkcs1-sha256", "-sha256")],
    ),
    (
        "genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048",
        "",
        &[
            ("rsa-pss-sha256", "-sha256"),
            ("rsa-pss-sha512", "-sha512 -sigopt rsa_pss_saltlen:digest"),
        ],
    ),
    (
        "genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha256 \
         -pkeyopt rsa_pss_keygen_mgf1_md:sha256 -pkeyopt rsa_pss_keygen_saltlen:32",
        "",
        &[
            ("rsa-pss-sha256-salt32", "-sha256"),
            ("rsa-pss-sha256", "-sha256"),
        ],
    ),
    (
        "genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:3072 -pkeyopt rsa_pss_keygen_md:sha384 \
         -pkeyopt rsa_pss_keygen_mgf1_md:sha384",
        "",
        &[("rsa-pss-sha384-salt20", "-sha384")],
    ),
    ("genpkey -algorithm ED25519", "", &[("ed25519", "")]),
];

#[test]
fn each_type_of_key_both_ways() {
    let Some(folder) = folder("openssl") else {
        return;
    };
    let folder = folder.path();
    for (generate, traditional, algorithms) in KEYS {
        openssl(folder, &format!("{generate} -out key"));
        openssl(folder, "pkey -in key -pubout -out pub");
        let public = PublicKey::from_pem(&read(folder, "pub")).unwrap();
        assert_eq!(public.to_pem(), read(folder, "pub"));
        let mut forms = vec![read(folder, "key")];
        if !traditional.is_empty() {
            openssl(folder, &format!("{traditional} -in key -out old"));
            forms.push(read(folder, "old"));
            assert_ne!(forms[0], forms[1]);
        }
        for form in &forms {
            let key = PrivateKey::from_pem(form).unwrap();
            assert_eq!(key.public(), &public, "{generate}");
        }
        for (name, options) in algorithms {
            check_signatures(folder, &public, &forms[0], name.parse().unwrap(), options);
        }
        let ours = PrivateKey::from_pem(&forms[0]).unwrap().to_pem().unwrap();
        fs::write(folder.join("ours"), ours.as_bytes()).unwrap();
        openssl(folder, "pkey -in ours -pubout -out again");
        assert_eq!(read(folder, "again"), read(folder, "pub"));
    }
}

fn check_signatures(
    folder: &Path,
    public: &PublicKey,
    pem: &str,
    algorithm: Algorithm,
    options: &str,
) {
    let (sign, verify) = match algorithm {
        Algorithm::Ed25519 => (
            "pkeyutl -sign -inkey key -rawin -in message -out theirs".to_owned(),
            "pkeyutl -verify -pubin -inkey pub -rawin -in message -sigfile mine".to_owned(),
        ),
        _ => (
            format!("dgst {options} -sign key -out theirs message"),
            format!("dgst {options} -verify pub -signature mine message"),
        ),
    };
    openssl(folder, &sign);
    let theirs = fs::read(folder.join("theirs")).unwrap();
    let public = public.clone().with_algorithm(algorithm).unwrap();
    public.verify(MESSAGE, &theirs).unwrap();
    let key = PrivateKey::from_pem(pem)
        .unwrap()
        .with_algorithm(algorithm)
        .unwrap();
    fs::write(folder.join("mine"), key.sign(MESSAGE).unwrap()).unwrap();
    openssl(folder, &verify);
}

/// Signers write a salt as long as the digest, or the largest that fits. Other lengths have to be named.
#[test]
fn salts_of_two_lengths_are_usual() {
    let Some(folder) = folder("salts") else {
        return;
    };
    let folder = folder.path();
    openssl(
        folder,
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key",
    );
    openssl(folder, "pkey -in key -pubout -out pub");
    let verifies = |algorithm: &str| {
        let public = PublicKey::from_pem(&read(folder, "pub")).unwrap();
        let public = public.with_algorithm(algorithm.parse().unwrap()).unwrap();
        let signature = fs::read(folder.join("theirs")).unwrap();
        public.verify(MESSAGE, &signature).is_ok()
    };
    for (salt, usual) in [("digest", true), ("max", true), ("20", false), ("0", false)] {
        openssl(
            folder,
            &format!(
                "dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:{salt} -sign key -out theirs message"
            ),
        );
        assert_eq!(verifies("rsa-pss-sha256"), usual, "{salt}");
        assert_eq!(verifies("rsa-pss-sha256-salt20"), salt == "20", "{salt}");
        assert!(!verifies("rsa-pss-sha512") && !verifies("rsa-pkcs1-sha256"));
    }
}

/// Keys that Go's x509, and so cosign, does not read either, and other encodings of keys that are read.
#[test]
fn other_keys_are_refused() {
    let Some(folder) = folder("other keys") else {
        return;
    };
    let folder = folder.path();
    for (generate, public, reason) in [
        (
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
            "",
            "unsupported curve",
        ),
        (
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
            "-ec_conv_form compressed",
            "compressed",
        ),
        (
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit",
            "",
            "the curve has no name",
        ),
        (
            "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024",
            "",
            "found 1024",
        ),
        (
            "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4104",
            "",
            "found 4104",
        ),
        // Without other options openssl has MGF1 with SHA-1.
        (
            "genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha256",
            "",
            "MGF1 with sha1: expected sha256",
        ),
        (
            "genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha1",
            "",
            "unsupported digest algorithm sha1",
        ),
        ("genpkey -algorithm X25519", "", "unsupported type of key"),
        ("genpkey -algorithm ED448", "", "unsupported type of key"),
    ] {
        openssl(folder, &format!("{generate} -out key"));
        openssl(folder, &format!("pkey -in key {public} -pubout -out pub"));
        let error = PublicKey::from_pem(&read(folder, "pub"))
            .unwrap_err()
            .to_string();
        assert!(error.contains(reason), "{generate}: {error}");
        if public.is_empty() {
            assert!(
                PrivateKey::from_pem(&read(folder, "key")).is_err(),
                "{generate}"
            );
        }
    }
}

#[test]
fn an_rsa_key_in_pkcs_1_is_the_same_key() {
    let Some(folder) = folder("pkcs1") else {
        return;
    };
    let folder = folder.path();
    openssl(
        folder,
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key",
    );
    openssl(folder, "rsa -in key -pubout -out pub");
    openssl(folder, "rsa -in key -RSAPublicKey_out -out pkcs1");
    let (spki, pkcs1) = (read(folder, "pub"), read(folder, "pkcs1"));
    assert!(pkcs1.contains("RSA PUBLIC KEY"));
    assert_eq!(
        PublicKey::from_bare_pem(&pkcs1).unwrap(),
        PublicKey::from_pem(&spki).unwrap()
    );
    assert!(PublicKey::from_pem(&(pkcs1 + &spki)).is_err());
}
