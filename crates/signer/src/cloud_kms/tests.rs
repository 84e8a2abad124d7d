use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use google_cloud_auth::credentials;
use serde_json::{Value, json};
use signature::PrivateKey;

use super::*;

const NAME: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1";
const MESSAGE: &[u8] = b"what is to be signed";

/// A member of the answer, with a wrong value that the service or an attacker on the network sends.
type Fault = (&'static str, Value);

/// Starts a server on loopback that answers like Cloud KMS: the public key first, then one signature.
fn serve(name: &'static str, key: PrivateKey, fault: Option<Fault>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap(), name, &key, fault.as_ref());
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: TcpStream, name: &str, key: &PrivateKey, fault: Option<&Fault>) {
    let (path, body) = request(&stream);
    let mut answer = match path.starts_with(&format!("/v1/{NAME}/publicKey")) {
        true => public_key_of(name, key),
        false => signature_of(key, &body),
    };
    if let Some((member, value)) = fault
        && answer.get(member).is_some()
    {
        answer[*member] = value.clone();
    }
    let text = answer.to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        text.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
}

fn request(stream: &TcpStream) -> (String, Vec<u8>) {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).unwrap();
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        match line.trim_end().to_ascii_lowercase().split_once(": ") {
            Some(("content-length", text)) => length = text.parse().unwrap(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (path, body)
}

fn public_key_of(name: &str, key: &PrivateKey) -> Value {
    let pem = key.public().to_pem();
    let checksum = crc32c::crc32c(pem.as_bytes()).to_string();
    json!({"name": NAME, "pem": pem, "pemCrc32c": checksum, "algorithm": name})
}

fn signature_of(key: &PrivateKey, body: &[u8]) -> Value {
    let asked: Value = serde_json::from_slice(body).unwrap();
    let hash = key.public().algorithms().find_map(Algorithm::hash);
    let (member, signed, sent) = match hash {
        Some(hash) => {
            let sent = &asked["digest"][hash.to_string()];
            ("digestCrc32c", hash.digest(MESSAGE), sent)
        }
        None => ("dataCrc32c", MESSAGE.to_vec(), &asked["data"]),
    };
    assert_eq!(*sent, BASE64.encode(&signed));
    assert_eq!(asked[member], crc32c::crc32c(&signed).to_string());
    let signature = key.sign(MESSAGE).unwrap();
    let checksum = crc32c::crc32c(&signature).to_string();
    json!({"name": NAME, "signature": BASE64.encode(signature), "signatureCrc32c": checksum,
        "verifiedDigestCrc32c": hash.is_some(), "verifiedDataCrc32c": hash.is_none()})
}

/// Each algorithm, with the type of its keys and the name of the algorithm here.
const ALGORITHMS: [(&str, &str, &str); 11] = [
    ("EC_SIGN_P256_SHA256", "ecdsa-p256", "ecdsa-der-sha256"),
    ("EC_SIGN_P384_SHA384", "ecdsa-p384", "ecdsa-der-sha384"),
    ("EC_SIGN_ED25519", "ed25519", "ed25519"),
    ("RSA_SIGN_PKCS1_2048_SHA256", "rsa-2048", "rsa-pkcs1-sha256"),
    ("RSA_SIGN_PKCS1_3072_SHA256", "rsa-3072", "rsa-pkcs1-sha256"),
    ("RSA_SIGN_PKCS1_4096_SHA256", "rsa-4096", "rsa-pkcs1-sha256"),
    ("RSA_SIGN_PKCS1_4096_SHA512", "rsa-4096", "rsa-pkcs1-sha512"),
    ("RSA_SIGN_PSS_2048_SHA256", "rsa-2048", "rsa-pss-sha256"),
    ("RSA_SIGN_PSS_3072_SHA256", "rsa-3072", "rsa-pss-sha256"),
    ("RSA_SIGN_PSS_4096_SHA256", "rsa-4096", "rsa-pss-sha256"),
    ("RSA_SIGN_PSS_4096_SHA512", "rsa-4096", "rsa-pss-sha512"),
];

fn key(name: &str) -> PrivateKey {
    let mut known = ALGORITHMS.into_iter();
    let (_, key_type, algorithm) = known.find(|(known, ..)| *known == name).unwrap();
    let key = PrivateKey::generate_of(key_type.parse().unwrap()).unwrap();
    key.with_algorithm(algorithm.parse().unwrap()).unwrap()
}

async fn open(name: &'static str, fault: Option<Fault>) -> Result<CloudKms, Error> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let credentials = credentials::anonymous::Builder::new().build();
    let endpoint = serve(name, key(name), fault).parse()?;
    CloudKms::connect(&NAME.parse().unwrap(), Some(&endpoint), credentials).await
}

async fn sign(name: &'static str, fault: Option<Fault>) -> Result<Algorithm, Error> {
    let key = open(name, fault).await?;
    let signature = key.sign(MESSAGE).await?;
    key.public().verify(MESSAGE, &signature)?;
    Ok(key.public().algorithms().next().unwrap())
}

#[tokio::test]
async fn signs_with_each_algorithm() {
    for (name, _, algorithm) in ALGORITHMS {
        assert_eq!(sign(name, None).await.unwrap().to_string(), algorithm);
    }
}

#[tokio::test]
async fn refuses_a_wrong_answer() {
    let other = NAME.replace("/1", "/2");
    for (member, value) in [
        ("name", json!(other)),
        ("algorithm", json!("EC_SIGN_P384_SHA384")),
        ("algorithm", json!("EC_SIGN_SECP256K1_SHA256")),
        ("algorithm", json!("GOOGLE_SYMMETRIC_ENCRYPTION")),
        ("pemCrc32c", json!("1")),
        ("pemCrc32c", Value::Null),
        ("verifiedDigestCrc32c", json!(false)),
        ("signatureCrc32c", json!("1")),
        ("signatureCrc32c", Value::Null),
        ("signature", json!("AAAA")),
    ] {
        let fault = Some((member, value.clone()));
        let error = sign("EC_SIGN_P256_SHA256", fault).await.unwrap_err();
        assert!(
            matches!(error, Error::Answer(_)),
            "{member} {value}: {error}"
        );
    }
    let fault = Some(("verifiedDataCrc32c", json!(false)));
    let error = sign("EC_SIGN_ED25519", fault).await.unwrap_err();
    assert!(
        error.to_string().contains("verified_data_crc32c"),
        "{error}"
    );
}

#[test]
fn an_invalid_key_is_a_wrong_answer() {
    let answer = Answer::new().set_algorithm(CryptoKeyVersionAlgorithm::EcSignP256Sha256);
    let error = with_algorithm(NAME, &answer.set_pem("x")).unwrap_err();
    assert!(matches!(error, Error::Answer(_)), "{error:?}");
}

#[tokio::test]
async fn a_long_message_is_not_sent_to_a_key_of_ed25519() {
    let key = open("EC_SIGN_ED25519", None).await.unwrap();
    let error = key.sign(&[0; 65_537]).await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("at most 65536 bytes, as the key is of type ed25519, found 65537"),
        "{error}"
    );
    key.check_length(&[0; 65_536]).unwrap();
}
