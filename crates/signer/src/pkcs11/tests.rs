//! Keys in a token of SoftHSM 2. The test is reported as skipped if it is not installed.
#![allow(clippy::print_stdout, reason = "a test, its helpers included")]

use std::fs;
use std::process::Command;

use signature::{KeyType, PrivateKey};
use zeroize::Zeroizing;

use super::*;
use crate::{Access, KeyRef, Signer};

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const UTILITY: &str = "softhsm2-util";
/// SoftHSM finds its tokens by this variable, which only another process can have.
const CONFIGURATION: &str = "SOFTHSM2_CONF";

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{text}");
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {printed}");
    text
}

/// A token with a key of each type that SoftHSM imports, with the type's name as label.
fn make_token(folder: &Path) {
    fs::create_dir(folder.join("tokens")).unwrap();
    let configuration = format!(
        "directories.tokendir = {}\n",
        folder.join("tokens").display()
    );
    fs::write(folder.join("softhsm2.conf"), configuration).unwrap();
    let softhsm = |words: &str| {
        let mut command = Command::new(UTILITY);
        command.args(words.split(' ')).current_dir(folder);
        run(command.env(CONFIGURATION, folder.join("softhsm2.conf")));
    };
    softhsm("--init-token --free --label mine --so-pin 5678 --pin 1234");
    for (number, key_type) in KeyType::ALL.into_iter().enumerate() {
        let key = PrivateKey::generate_of(key_type).unwrap();
        fs::write(folder.join(key_type.to_string()), &*key.to_pem().unwrap()).unwrap();
        fs::write(
            folder.join(format!("{key_type}.pub")),
            key.public().to_pem(),
        )
        .unwrap();
        softhsm(&format!(
            "--import {key_type} --token mine --label {key_type} --id 0{number} --pin 1234"
        ));
    }
}

#[test]
fn a_token_signs() {
    if !Path::new(MODULE).exists() || Command::new(UTILITY).arg("--version").output().is_err() {
        testkit::skip("a_token_signs", "SoftHSM 2 is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    make_token(folder.path());
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        "pkcs11::tests::with_a_token",
        "--ignored",
        "--nocapture",
    ]);
    command.env(CONFIGURATION, folder.path().join("softhsm2.conf"));
    let text = run(command.current_dir(folder.path()));
    // A filter that matches no test is a success, too.
    assert!(text.contains("1 passed"), "{text}");
}

async fn open(uri: &str, algorithm: Option<&str>) -> Result<Signer, Error> {
    let access = Access {
        pkcs11_module: Some(Path::new(MODULE)),
        algorithm: algorithm.map(|name| name.parse().unwrap()),
        pin: || Ok(Zeroizing::new("1234".to_owned())),
        ..Access::default()
    };
    Signer::open(&uri.parse::<KeyRef>().unwrap(), access).await
}

#[tokio::test]
#[ignore = "run by a_token_signs, in the folder with the token"]
async fn with_a_token() {
    for key_type in KeyType::ALL {
        let pem = fs::read_to_string(format!("{key_type}.pub")).unwrap();
        let public = PublicKey::from_pem(&pem).unwrap();
        let uri = format!("pkcs11:token=mine;object={key_type}");
        let algorithms: &[Option<&str>] = match key_type {
            KeyType::Rsa { .. } => &[None, Some("rsa-pss-sha256"), Some("rsa-pkcs1-sha512")],
            KeyType::P256 => &[None, Some("ecdsa-p1363-sha256")],
            _ => &[None],
        };
        for algorithm in algorithms {
            let signer = open(&uri, *algorithm).await;
            let signer = signer.unwrap_or_else(|error| panic!("{uri}: {error}"));
            let signature = signer.sign(b"message").await.unwrap();
            assert_eq!(signer.public().key_id(), public.key_id());
            signer.public().verify(b"message", &signature).unwrap();
        }
    }
    for (uri, reason) in [
        ("pkcs11:token=mine;object=none", "no such key"),
        (
            "pkcs11:token=other;object=ecdsa-p256",
            "no token has this label",
        ),
        (
            "pkcs11:token=mine;object=ecdsa-p256?pin-value=4321",
            "logging in",
        ),
        ("pkcs11:token=mine;object=ecdsa-p256;id=%07", "no such key"),
        ("pkcs11:object=a?module-path=/none.so", "loading the module"),
    ] {
        let error = open(uri, None).await.err().unwrap();
        assert!(error.to_string().contains(reason), "{uri}: {error}");
    }
    assert!(open("pkcs11:id=%00", None).await.is_ok());
    check_algorithms().await;
    check_two_keys().await;
    check_attributes();
}

/// A token signs with what a key file signs with, except for Ed25519ph, and refuses the rest before it is used.
async fn check_algorithms() {
    for (object, algorithm) in [
        ("ecdsa-p256", "ecdsa-der-sha384"),
        ("ecdsa-p256", "rsa-pss-sha256"),
        ("rsa-2048", "rsa-pss-sha256-salt20"),
        ("ed25519", "ed25519ph"),
    ] {
        let uri = format!("pkcs11:token=mine;object={object}");
        let error = open(&uri, Some(algorithm)).await.err().unwrap();
        assert!(matches!(error, Error::Algorithm(_)), "{error:?}");
        let expected = format!("does not sign with {algorithm}");
        assert!(error.to_string().ends_with(&expected), "{error}");
    }
}

async fn check_two_keys() {
    let open = async |object| {
        let uri = format!("pkcs11:token=mine;object={object}");
        open(&uri, None).await.unwrap()
    };
    let (first, second) = (open("ecdsa-p256").await, open("ecdsa-p384").await);
    for signer in [second, first] {
        signer.sign(b"message").await.unwrap();
    }
}

/// An object that cannot be read is not one without attributes.
fn check_attributes() {
    let uri: Pkcs11Uri = "pkcs11:token=mine;object=ecdsa-p256?pin-value=1234"
        .parse()
        .unwrap();
    let no_pin = || panic!("the URI has the PIN");
    let token = Token::open(&uri, Path::new(MODULE), no_pin, None).unwrap();
    let session = token.session.lock().unwrap();
    let modulus = [AttributeType::Modulus];
    assert_eq!(attributes(&session, token.key, &modulus).unwrap(), []);
    session.logout().unwrap();
    let error = attributes(&session, token.key, &modulus).unwrap_err();
    assert!(
        error.to_string().contains("reading the public key"),
        "{error}"
    );
}
