//! The payload of the legacy layout (cosign, `specs/SIGNATURE_SPEC.md`), with the two annotations
//! that Confidential Space needs to find key and algorithm.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use content::{Digest, json, limits};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::annotations::{PUB, SIGALG};
use crate::{Algorithm, Annotations, Encoding, Error, Hash, KeyType, PublicKey};

/// The exponent of the RSA keys that Confidential Space reads.
const EXPONENT: u32 = 65_537;
/// The value of `critical.type`.
const TYPE: &str = "cosign container image signature";

/// A payload: the digest that was signed, and its repository.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Payload {
    critical: Critical,
    optional: Option<BTreeMap<String, Value>>,
}

// Unknown critical members must be refused.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    #[serde(rename = "docker-reference")]
    docker_reference: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    docker_manifest_digest: Digest,
}

/// The name that Confidential Space has for the algorithm with which `key` signs; `None` if it reads no signature of
/// the key (go-tpm-tools, `verifier/oci`).
pub fn signature_algorithm(key: &PublicKey) -> Option<&'static str> {
    let hash = Hash::Sha256;
    let ecdsa = Algorithm::Ecdsa {
        hash,
        encoding: Encoding::Der,
    };
    let algorithm = key.algorithms().next()?;
    let pss = Algorithm::RsaPss { hash, salt: None };
    match (key.key_type(), key.rsa_exponent()) {
        (KeyType::P256, _) if algorithm == ecdsa => Some("ECDSA_P256_SHA256"),
        (KeyType::Rsa { .. }, Some(EXPONENT)) if algorithm == (Algorithm::RsaPkcs1 { hash }) => {
            Some("RSASSA_PKCS1V15_SHA256")
        }
        (KeyType::Rsa { .. }, Some(EXPONENT)) if algorithm == pss => Some("RSASSA_PSS_SHA256"),
        _ => None,
    }
}

/// The payload to sign for `image_digest` in `repository` with `public`, with `annotations` among its optional members.
///
/// # Errors
/// The annotations make the payload larger than [`limits::PAYLOAD`], which readers refuse.
pub fn payload(
    repository: &str,
    image_digest: &Digest,
    public: &PublicKey,
    annotations: &Annotations,
) -> Result<Vec<u8>, Error> {
    let given = annotations.iter();
    let mut optional: BTreeMap<String, Value> = given
        .map(|(key, value)| (key.to_owned(), value.into()))
        .collect();
    // Without a name for the algorithm the key is of no use to Confidential Space, the only reader of the two.
    if let Some(algorithm) = signature_algorithm(public) {
        let pem = STANDARD_NO_PAD.encode(public.to_pem());
        optional.insert(PUB.to_owned(), pem.into());
        optional.insert(SIGALG.to_owned(), algorithm.into());
    }
    let payload = Payload {
        critical: Critical {
            identity: Identity {
                docker_reference: repository.to_owned(),
            },
            image: Image {
                docker_manifest_digest: *image_digest,
            },
            kind: TYPE.to_owned(),
        },
        optional: Some(optional).filter(|optional| !optional.is_empty()),
    };
    let bytes = json::canonical(&payload).map_err(document)?;
    match bytes.len() as u64 > limits::PAYLOAD {
        true => Err(Error::value(
            "size of payload",
            &format!("at most {} bytes", limits::PAYLOAD),
            &bytes.len().to_string(),
        )),
        false => Ok(bytes),
    }
}

impl Payload {
    /// Verifies `signature` over `bytes` and then parses them.
    ///
    /// # Errors
    /// The bytes are not signed by `key`, larger than [`limits::PAYLOAD`], or not a payload of this type.
    pub fn verify(bytes: &[u8], signature: &[u8], key: &PublicKey) -> Result<Self, Error> {
        key.verify(bytes, signature)?;
        Self::parse_signed(bytes)
    }

    /// Parses bytes whose signature was verified otherwise, with a certificate.
    ///
    /// # Errors
    /// The bytes are larger than [`limits::PAYLOAD`], or not a payload of this type.
    pub fn parse_signed(bytes: &[u8]) -> Result<Self, Error> {
        let payload: Self = json::parse(bytes, limits::PAYLOAD).map_err(document)?;
        if payload.critical.kind != TYPE {
            let found = &payload.critical.kind;
            return Err(Error::value("type of payload", TYPE, found));
        }
        Ok(payload)
    }

    /// The digest that was signed.
    pub fn image_digest(&self) -> Digest {
        self.critical.image.docker_manifest_digest
    }

    /// The key and the algorithm that the annotations name; `None` if they name no key that Confidential Space reads. Both
    /// are self-asserted: a signature that verifies with the key shows only that its owner made it.
    pub fn named_key(&self) -> Option<(PublicKey, &str)> {
        let option = |name| self.optional.as_ref()?.get(name)?.as_str();
        let pem = STANDARD_NO_PAD.decode(option(PUB)?).ok()?;
        let key = PublicKey::from_bare_pem(std::str::from_utf8(&pem).ok()?).ok()?;
        Some((key, option(SIGALG)?))
    }

    /// Whether the annotations name `key` and its algorithm. Confidential Space verifies with the key and
    /// algorithm that the payload names, and skips a payload that names others (confidential-space,
    /// `signedcontainer`).
    pub fn names(&self, key: &PublicKey) -> bool {
        self.named_key().is_some_and(|(named, algorithm)| {
            named.key_id() == key.key_id() && signature_algorithm(key) == Some(algorithm)
        })
    }

    /// The repository that the payload names.
    pub fn repository(&self) -> &str {
        &self.critical.identity.docker_reference
    }
}

fn document(source: json::JsonError) -> Error {
    Error::document("simple-signing payload", &source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PrivateKey;

    #[test]
    fn says_what_confidential_space_reads() {
        let key = PrivateKey::generate().unwrap();
        let digest = Digest::of(b"image");
        let bytes = payload(
            "registry/repo",
            &digest,
            key.public(),
            &Annotations::default(),
        )
        .unwrap();
        let value: Value = json::parse(&bytes, 10_000).unwrap();
        let pem = value["optional"][PUB].as_str().unwrap();
        assert!(!pem.ends_with('='));
        assert_eq!(
            STANDARD_NO_PAD.decode(pem).unwrap(),
            key.public().to_pem().as_bytes()
        );
        let parsed = Payload::verify(&bytes, &key.sign(&bytes).unwrap(), key.public()).unwrap();
        assert_eq!(
            (parsed.image_digest(), parsed.repository()),
            (digest, "registry/repo")
        );
        assert!(parsed.names(key.public()));
        assert!(!parsed.names(PrivateKey::generate().unwrap().public()));
    }

    #[test]
    fn annotations_are_among_the_optional_members() {
        let key = PrivateKey::generate().unwrap();
        let annotations = |value: &str| {
            let release = format!("release={value}").parse().unwrap();
            Annotations::new([release]).unwrap()
        };
        let written =
            |value: &str| payload("r", &Digest::of(b""), key.public(), &annotations(value));
        let bytes = written("a=1").unwrap();
        let value: Value = json::parse(&bytes, 10_000).unwrap();
        assert_eq!(value["optional"]["release"], "a=1");
        let read = Payload::verify(&bytes, &key.sign(&bytes).unwrap(), key.public()).unwrap();
        assert!(read.names(key.public()));
        let error = written(&"x".repeat(65_536)).unwrap_err().to_string();
        assert!(error.starts_with("checking size of payload"), "{error}");
    }

    #[test]
    fn names_the_algorithm_of_each_key() {
        let rsa = PrivateKey::generate_of(KeyType::Rsa { bits: 2048 }).unwrap();
        let rsa = rsa.to_pem().unwrap();
        let keys = [
            (PrivateKey::generate_of(KeyType::P384).unwrap(), None),
            (PrivateKey::generate_of(KeyType::Ed25519).unwrap(), None),
            (PrivateKey::generate().unwrap(), Some("ECDSA_P256_SHA256")),
        ];
        let algorithms = [
            ("rsa-pkcs1-sha256", Some("RSASSA_PKCS1V15_SHA256")),
            ("rsa-pss-sha256", Some("RSASSA_PSS_SHA256")),
            ("rsa-pss-sha512", None),
        ];
        let rsa = algorithms.map(|(algorithm, name)| {
            let key = PrivateKey::from_pem(&rsa).unwrap();
            (
                key.with_algorithm(algorithm.parse().unwrap()).unwrap(),
                name,
            )
        });
        for (key, name) in keys.into_iter().chain(rsa) {
            let bytes =
                payload("r", &Digest::of(b""), key.public(), &Annotations::default()).unwrap();
            let value: Value = json::parse(&bytes, 10_000).unwrap();
            assert_eq!(value["optional"][SIGALG].as_str(), name);
            assert_eq!(value["optional"][PUB].is_string(), name.is_some());
            let signature = key.sign(&bytes).unwrap();
            let read = Payload::verify(&bytes, &signature, key.public()).unwrap();
            assert_eq!(read.names(key.public()), name.is_some());
        }
    }

    #[test]
    fn names_no_algorithm_of_an_rsa_key_with_another_exponent() {
        for (exponent, name) in [
            (&[1, 0, 1][..], Some("RSASSA_PKCS1V15_SHA256")),
            (&[3], None),
            (&[1, 0, 3], None),
        ] {
            let key = PublicKey::from_rsa(&[0xff; 256], exponent).unwrap();
            assert_eq!(signature_algorithm(&key), name, "{exponent:?}");
        }
    }

    #[test]
    fn a_signed_payload_may_name_no_key() {
        let key = PrivateKey::generate().unwrap();
        let honest = payload("r", &Digest::of(b""), key.public(), &Annotations::default()).unwrap();
        let honest: Value = json::parse(&honest, 10_000).unwrap();
        let named = |option: &str, value: Value| {
            let mut payload = honest.clone();
            payload["optional"][option] = value;
            let bytes = json::canonical(&payload).unwrap();
            let payload =
                Payload::verify(&bytes, &key.sign(&bytes).unwrap(), key.public()).unwrap();
            payload.names(key.public())
        };
        let padded = base64::engine::general_purpose::STANDARD.encode(key.public().to_pem() + " ");
        // Confidential Space takes the first block, whatever its label.
        let other = PrivateKey::generate().unwrap().public().to_pem();
        let other = other.replace("PUBLIC KEY", "X");
        let two = STANDARD_NO_PAD.encode(other + &key.public().to_pem());
        assert!(named("other", Value::Null));
        for (option, value) in [
            (PUB, Value::Null),
            (PUB, Value::from(key.public().to_pem())),
            (PUB, Value::from(padded)),
            (PUB, Value::from(two)),
            (SIGALG, Value::Null),
            (SIGALG, Value::from("RSASSA_PSS_SHA256")),
        ] {
            assert!(!named(option, value.clone()), "{option}: {value}");
        }
    }

    /// Signs a payload in which `from` was replaced with `to`, and verifies it.
    fn changed(from: &str, to: &str) -> Result<Payload, Error> {
        let key = PrivateKey::generate().unwrap();
        let bytes = payload("r", &Digest::of(b""), key.public(), &Annotations::default()).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{text}");
        let bytes = text.replace(from, to).into_bytes();
        Payload::verify(&bytes, &key.sign(&bytes).unwrap(), key.public())
    }

    #[test]
    fn refuses_a_signed_payload_of_another_type() {
        let error = changed("cosign container", "other container").unwrap_err();
        assert!(
            error.to_string().starts_with("checking type of payload"),
            "{error}"
        );
    }

    #[test]
    fn refuses_signed_payloads_that_are_ambiguous() {
        for (from, to) in [
            ("\"image\":", "\"image\":{},\"image\":"),
            ("\"image\":", "\"other\":{},\"image\":"),
            ("docker-manifest-digest", "Docker-manifest-digest"),
            ("sha256:e3b0", "sha256:E3B0"),
            ("sha256:e3b0", "sha512:e3b0"),
            ("{\"critical\"", "[]{\"critical\""),
        ] {
            let error = changed(from, to).unwrap_err();
            let error = error.to_string();
            assert!(
                error.starts_with("parsing simple-signing payload"),
                "{to}: {error}"
            );
        }
    }

    #[test]
    fn reads_what_cosign_writes_without_options() {
        let key = PrivateKey::generate().unwrap();
        let digest = Digest::of(b"");
        let text = format!(
            r#"{{"critical":{{"identity":{{"docker-reference":"r"}},"image":{{"docker-manifest-digest":"{digest}"}},"type":"{TYPE}"}},"optional":null}}"#
        );
        let signature = key.sign(text.as_bytes()).unwrap();
        let payload = Payload::verify(text.as_bytes(), &signature, key.public()).unwrap();
        assert_eq!(payload.image_digest(), digest);
        assert!(!payload.names(key.public()));
        let other = Payload::verify(b"{}", &signature, key.public());
        assert!(matches!(other, Err(Error::Signature { .. })));
    }
}
