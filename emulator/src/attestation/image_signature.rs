//! Verifies signatures on an image (google/confidential-space, `server/signedcontainer`).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use confidential::claims::ImageSignature;
use content::{Digest, json, limits};
use serde::Deserialize;
use serde_json::Value;
use signature::{Algorithm, Encoding, Hash, KeyType, PublicKey};

use super::evidence::Signature;

/// The members of a payload that the service reads (cosign, `specs/SIGNATURE_SPEC.md`). Google's service
/// parses payloads with Go, so names that Go would match with these are refused.
#[derive(Deserialize)]
struct Payload {
    critical: Critical,
    #[serde(default)]
    optional: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    docker_manifest_digest: String,
}

/// The public exponent of RSA keys.
const EXPONENT: u32 = 65_537;

/// Verifies a signature on the image with this digest and returns its claim.
///
/// # Errors
/// The reason why the signature is invalid.
pub(super) fn verified(signature: &Signature, digest: &Digest) -> Result<ImageSignature, String> {
    let decode = |text: &str| STANDARD.decode(text).map_err(|error| error.to_string());
    let (payload, bytes) = (decode(&signature.payload)?, decode(&signature.signature)?);
    let parsed: Payload = json::parse(&payload, limits::PAYLOAD).map_err(|e| e.to_string())?;
    check_image(&parsed.critical, digest)?;
    let optional = |name: &str| parsed.optional.get(name).and_then(Value::as_str);
    let optional = |name: &str| optional(name).unwrap_or_default();
    let algorithm = optional("dev.cosignproject.cosign/sigalg");
    let pem = STANDARD_NO_PAD.decode(optional("dev.cosignproject.cosign/pub"));
    let pem = pem.ok().and_then(|pem| String::from_utf8(pem).ok());
    let pem = pem.ok_or("unreadable public key")?;
    let key = key(&pem, algorithm)?;
    let verified = key.verify(&payload, &bytes);
    verified.map_err(|_| "signature does not match".to_owned())?;
    Ok(ImageSignature {
        key_id: key.key_id().hex(),
        signature: signature.signature.clone(),
        signature_algorithm: algorithm.to_owned(),
    })
}

fn check_image(critical: &Critical, digest: &Digest) -> Result<(), String> {
    if critical.kind != "cosign container image signature" {
        return Err("unexpected type in payload".to_owned());
    }
    if critical.image.docker_manifest_digest != digest.to_string() {
        return Err("payload is for another image digest".to_owned());
    }
    Ok(())
}

/// The key in `pem`, with the algorithm that the service calls by this name.
fn key(pem: &str, name: &str) -> Result<PublicKey, String> {
    let hash = Hash::Sha256;
    let algorithm = match name {
        "ECDSA_P256_SHA256" => Algorithm::Ecdsa {
            hash,
            encoding: Encoding::Der,
        },
        "RSASSA_PSS_SHA256" => Algorithm::RsaPss { hash, salt: None },
        "RSASSA_PKCS1V15_SHA256" => Algorithm::RsaPkcs1 { hash },
        _ => return Err(format!("unsupported signing algorithm {name:?}")),
    };
    let key = PublicKey::from_bare_pem(pem).map_err(|error| error.to_string())?;
    let is_read = match key.key_type() {
        KeyType::P256 => true,
        KeyType::Rsa { .. } => key.rsa_exponent() == Some(EXPONENT),
        KeyType::P384 | KeyType::P521 | KeyType::RsaPss { .. } | KeyType::Ed25519 => false,
    };
    match is_read {
        true => key
            .with_algorithm(algorithm)
            .map_err(|error| error.to_string()),
        false => Err("unsupported type of key, or an RSA key with another exponent".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use aws_lc_rs::signature::{
        KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaPssSaltLength, RsaSignatureEncoding,
    };
    use p256::pkcs8::der::pem;
    use serde_json::json;

    use super::*;

    static MAX_SALT: RsaSignatureEncoding =
        RSA_PSS_SHA256.with_pss_salt_length(RsaPssSaltLength::Max);

    fn pem(label: &str, der: &[u8]) -> String {
        pem::encode_string(label, pem::LineEnding::LF, der).unwrap()
    }

    fn payload(pem: &str, algorithm: &str) -> Value {
        json!({
            "critical": {
                "type": "cosign container image signature",
                "image": {"docker-manifest-digest": Digest::of(b"image").to_string()},
            },
            "optional": {
                "dev.cosignproject.cosign/pub": STANDARD_NO_PAD.encode(pem),
                "dev.cosignproject.cosign/sigalg": algorithm,
            },
        })
    }

    fn signed(
        key: &KeyPair,
        pem: &str,
        algorithm: &str,
        encoding: &'static RsaSignatureEncoding,
    ) -> Signature {
        sign(key, encoding, &payload(pem, algorithm).to_string())
    }

    fn sign(key: &KeyPair, encoding: &'static RsaSignatureEncoding, payload: &str) -> Signature {
        let mut signature = vec![0; key.public_modulus_len()];
        let random = SystemRandom::new();
        key.sign(encoding, &random, payload.as_bytes(), &mut signature)
            .unwrap();
        Signature {
            payload: STANDARD.encode(payload),
            signature: STANDARD.encode(signature),
        }
    }

    #[test]
    fn accepts_rsa_signatures_of_either_padding_and_pem_form() {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let info: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
        let forms = [
            pem("PUBLIC KEY", info.as_ref()),
            pem("RSA PUBLIC KEY", key.public_key().as_ref()),
        ];
        let kinds: [(&str, &'static RsaSignatureEncoding); 3] = [
            ("RSASSA_PKCS1V15_SHA256", &RSA_PKCS1_SHA256),
            ("RSASSA_PSS_SHA256", &RSA_PSS_SHA256),
            ("RSASSA_PSS_SHA256", &MAX_SALT),
        ];
        for form in &forms {
            for (algorithm, encoding) in kinds {
                let signature = signed(&key, form, algorithm, encoding);
                let claim = verified(&signature, &Digest::of(b"image")).unwrap();
                assert_eq!(claim.key_id, Digest::of(info.as_ref()).hex());
                assert_eq!(claim.signature_algorithm, algorithm);
                let other = verified(&signature, &Digest::of(b"other")).unwrap_err();
                assert_eq!(other, "payload is for another image digest");
            }
        }
    }

    #[test]
    fn refuses_a_signature_with_another_algorithm() {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let info: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
        let form = pem("PUBLIC KEY", info.as_ref());
        for (algorithm, reason) in [
            ("RSASSA_PSS_SHA256", "signature does not match"),
            (
                "ECDSA_P256_SHA256",
                "a key of type rsa-2048 does not sign with ecdsa-der-sha256",
            ),
            (
                "RSASSA_PKCS1V15_SHA512",
                "unsupported signing algorithm \"RSASSA_PKCS1V15_SHA512\"",
            ),
        ] {
            let signature = signed(&key, &form, algorithm, &RSA_PKCS1_SHA256);
            let refused = verified(&signature, &Digest::of(b"image")).unwrap_err();
            assert_eq!(refused, reason, "{algorithm}");
        }
        let form = format!("{form}more");
        let signature = signed(&key, &form, "RSASSA_PKCS1V15_SHA256", &RSA_PKCS1_SHA256);
        let refused = verified(&signature, &Digest::of(b"image")).unwrap_err();
        assert_eq!(
            refused,
            "parsing public key: expected one PEM block PUBLIC KEY and nothing else"
        );
    }

    #[test]
    fn refuses_an_rsa_key_with_another_exponent() {
        let read = |exponent: &[u8]| {
            let pem = PublicKey::from_rsa(&[0xff; 256], exponent)
                .unwrap()
                .to_pem();
            key(&pem, "RSASSA_PKCS1V15_SHA256")
        };
        assert_eq!(read(&[1, 0, 1]).unwrap().rsa_exponent(), Some(65_537));
        for exponent in [&[3][..], &[1, 0, 3]] {
            let refused = read(exponent).unwrap_err();
            assert!(refused.contains("another exponent"), "{refused}");
        }
    }

    #[test]
    fn refuses_a_key_that_signs_with_pss_only() {
        let plain = PublicKey::from_rsa(&[0xff; 256], &[1, 0, 1]).unwrap();
        assert!(key(&plain.to_pem(), "RSASSA_PSS_SHA256").is_ok());
        let refused = key(&testkit::pss(&plain.to_pem(), &[]), "RSASSA_PSS_SHA256");
        assert!(refused.unwrap_err().contains("unsupported type of key"));
    }

    #[test]
    fn refuses_a_payload_that_go_reads_otherwise() {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let info: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
        let algorithm = "RSASSA_PKCS1V15_SHA256";
        let honest = payload(&pem("PUBLIC KEY", info.as_ref()), algorithm);
        let is_verified = |text: &str| {
            let signature = sign(&key, &RSA_PKCS1_SHA256, text);
            verified(&signature, &Digest::of(b"image")).is_ok()
        };
        let (critical, optional) = (&honest["critical"], &honest["optional"]);
        assert!(is_verified(&honest.to_string()));
        let (kind, image) = (&critical["type"], &critical["image"]);
        let digest = &image["docker-manifest-digest"];
        let other = json!(Digest::of(b"other").to_string());
        for image in [
            format!(r#"{{"docker-manifest-digest":{digest},"Docker-Manifest-Digest":{other}}}"#),
            format!(r#"{{"Docker-Manifest-Digest":{digest}}}"#),
            format!("[{digest}]"),
        ] {
            let critical = format!(r#"{{"type":{kind},"image":{image}}}"#);
            let text = format!(r#"{{"critical":{critical},"optional":{optional}}}"#);
            assert!(!is_verified(&text), "{text}");
        }
        for text in [
            format!(r#"{{"critical":{critical},"optional":{optional},"Critical":{{}}}}"#),
            format!(r#"{{"critical":[{image},{kind}],"optional":{optional}}}"#),
            format!("[{critical},{optional}]"),
        ] {
            assert!(!is_verified(&text), "{text}");
        }
    }
}
