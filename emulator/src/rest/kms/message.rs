//! Bodies of requests (google/cloud/kms/v1/service.proto, resources.proto).

use std::collections::BTreeMap;

use content::json::null_is_default;
use serde::Deserialize;
use signature::Hash;

use crate::protojson::{Bytes, Enumeration, Ignored, Integer, NotEmulated, Object};
use crate::services::kms::{Checked, Purpose, SignedBytes, SigningAlgorithm};
use crate::status::Status;

/// `CryptoKeyPurpose`, as far as it is emulated.
const PURPOSES: [(i64, &str); 2] = [(1, "ENCRYPT_DECRYPT"), (5, "ASYMMETRIC_SIGN")];
/// `CryptoKeyVersionAlgorithm` for encryption, as far as it is emulated.
const ENCRYPTION: [(i64, &str); 1] = [(1, "GOOGLE_SYMMETRIC_ENCRYPTION")];
/// `ProtectionLevel`, as far as it is emulated.
const LEVELS: [(i64, &str); 1] = [(1, "SOFTWARE")];

/// `CryptoKeyVersionState`, as far as requests name it.
const STATES: [(i64, &str); 2] = [(1, "ENABLED"), (2, "DISABLED")];

/// `KeyRing`: fields of answers only.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct KeyRing {
    name: Ignored<String>,
    #[serde(alias = "create_time")]
    create_time: Ignored<String>,
}

/// `CryptoKey`. Keys are rotated by hand only, so that the fields for this have no effect.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct CryptoKey {
    name: Ignored<String>,
    primary: Ignored<Object>,
    purpose: Enumeration,
    #[serde(alias = "create_time")]
    create_time: Ignored<String>,
    #[serde(alias = "next_rotation_time")]
    next_rotation_time: Ignored<String>,
    #[serde(alias = "rotation_period")]
    rotation_period: Ignored<String>,
    #[serde(alias = "version_template", deserialize_with = "null_is_default")]
    version_template: VersionTemplate,
    #[serde(deserialize_with = "null_is_default")]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(alias = "import_only")]
    import_only: NotEmulated<bool>,
    #[serde(alias = "destroy_scheduled_duration")]
    destroy_scheduled_duration: Ignored<String>,
    #[serde(alias = "crypto_key_backend")]
    crypto_key_backend: NotEmulated<String>,
    #[serde(alias = "key_access_justifications_policy")]
    key_access_justifications_policy: NotEmulated<Object>,
}

/// `CryptoKeyVersionTemplate`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct VersionTemplate {
    #[serde(alias = "protection_level")]
    protection_level: Enumeration,
    algorithm: Enumeration,
}

impl CryptoKey {
    /// The purpose of the key.
    pub(super) fn purpose(&self) -> Result<Purpose, Status> {
        let purpose = self.purpose.name(&PURPOSES);
        let algorithm = &self.version_template.algorithm;
        let signing = SigningAlgorithm::ALL.map(|(_, number, name)| (number, name));
        let signing = algorithm.name(&signing);
        let signing = SigningAlgorithm::ALL
            .into_iter()
            .find(|(_, _, name)| *name == signing);
        let level = self.version_template.protection_level.name(&LEVELS);
        match (purpose, algorithm.name(&ENCRYPTION), signing, level) {
            ("ENCRYPT_DECRYPT", "" | "GOOGLE_SYMMETRIC_ENCRYPTION", None, "" | "SOFTWARE") => {
                Ok(Purpose::EncryptDecrypt)
            }
            ("ASYMMETRIC_SIGN", _, Some((algorithm, ..)), "" | "SOFTWARE") => {
                Ok(Purpose::AsymmetricSign(algorithm))
            }
            _ => Err(Status::invalid(
                "The purpose, algorithm or protection level is not supported.",
            )),
        }
    }
}

/// `CryptoKeyVersion`: fields of answers, and the state.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct CryptoKeyVersion {
    name: Ignored<String>,
    state: Enumeration,
}

impl CryptoKeyVersion {
    /// The name of the state.
    pub(super) fn state(&self) -> &str {
        self.state.name(&STATES)
    }
}

/// `UpdateCryptoKeyPrimaryVersionRequest`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct UpdatePrimary {
    name: Ignored<String>,
    #[serde(alias = "crypto_key_version_id", deserialize_with = "null_is_default")]
    pub(super) crypto_key_version_id: String,
}

/// `EncryptRequest`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct Encrypt {
    name: Ignored<String>,
    pub(super) plaintext: Bytes,
    #[serde(alias = "plaintext_crc32c")]
    pub(super) plaintext_crc32c: Option<Integer>,
    #[serde(alias = "additional_authenticated_data")]
    pub(super) additional_authenticated_data: Bytes,
    #[serde(alias = "additional_authenticated_data_crc32c")]
    pub(super) additional_authenticated_data_crc32c: Option<Integer>,
}

/// `DecryptRequest`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct Decrypt {
    name: Ignored<String>,
    pub(super) ciphertext: Bytes,
    #[serde(alias = "ciphertext_crc32c")]
    pub(super) ciphertext_crc32c: Option<Integer>,
    #[serde(alias = "additional_authenticated_data")]
    pub(super) additional_authenticated_data: Bytes,
    #[serde(alias = "additional_authenticated_data_crc32c")]
    pub(super) additional_authenticated_data_crc32c: Option<Integer>,
}

/// `AsymmetricSignRequest`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct AsymmetricSign {
    name: Ignored<String>,
    #[serde(deserialize_with = "null_is_default")]
    digest: Digest,
    #[serde(alias = "digest_crc32c")]
    digest_crc32c: Option<Integer>,
    data: Bytes,
    #[serde(alias = "data_crc32c")]
    data_crc32c: Option<Integer>,
}

/// `Digest`, of which one is given.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Digest {
    sha256: Option<Bytes>,
    sha384: Option<Bytes>,
    sha512: Option<Bytes>,
}

impl AsymmetricSign {
    /// The digest or the data to sign.
    pub(super) fn signed(self) -> Result<SignedBytes, Status> {
        let digests = [
            (Hash::Sha256, self.digest.sha256),
            (Hash::Sha384, self.digest.sha384),
            (Hash::Sha512, self.digest.sha512),
        ];
        let given = |(kind, bytes): (Hash, Option<Bytes>)| Some((kind, bytes?));
        let mut given = digests.into_iter().filter_map(given);
        let has_data = !self.data.0.is_empty() || self.data_crc32c.is_some();
        match (given.next(), given.next(), has_data) {
            (Some((kind, bytes)), None, false) => Ok(SignedBytes::Digest(
                kind,
                checked(bytes, self.digest_crc32c),
            )),
            (None, _, _) if self.digest_crc32c.is_some() => Err(Status::invalid(
                "The checksum of a digest is given, but no digest.",
            )),
            (None, _, _) => Ok(SignedBytes::Data(checked(self.data, self.data_crc32c))),
            _ => Err(Status::invalid(
                "Only one of the digest and the data can be given.",
            )),
        }
    }
}

/// Bytes and their checksum, if there is one.
pub(super) fn checked(bytes: Bytes, checksum: Option<Integer>) -> Checked {
    Checked {
        bytes: bytes.0,
        crc32c: checksum.map(|Integer(number)| number),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::protojson::parse;

    #[test]
    fn checksums_come_as_text_and_as_number() {
        let read = |crc: Value| {
            let body = json!({"plaintext": "YQ==", "plaintextCrc32c": crc}).to_string();
            let read = parse::<Encrypt>(body.as_bytes()).map_err(|status| status.message)?;
            let checked = checked(read.plaintext, read.plaintext_crc32c);
            assert_eq!(checked.bytes, b"a");
            Ok::<_, String>(checked.crc32c)
        };
        assert_eq!(read(json!(7)), Ok(Some(7)));
        assert_eq!(read(json!("7")), Ok(Some(7)));
        assert_eq!(read(Value::Null), Ok(None));
        let refused = read(json!("x")).unwrap_err();
        let expected = "Invalid value at 'plaintextCrc32c' (invalid value for an integer: \"x\")";
        assert_eq!(refused, expected);
        let refused = read(json!([])).unwrap_err();
        assert!(
            refused.contains("invalid value for an integer: []"),
            "{refused}"
        );
    }

    #[test]
    fn associated_data_is_never_dropped() {
        for name in [
            "additionalAuthenticatedData",
            "additional_authenticated_data",
        ] {
            let body = json!({"plaintext": "YQ==", name: "Yg=="}).to_string();
            let read = parse::<Encrypt>(body.as_bytes()).ok().unwrap();
            assert!(read.additional_authenticated_data.0 == b"b", "{name}");
        }
        for body in [
            json!({"plaintext": "YQ==", "AdditionalAuthenticatedData": "Yg=="}),
            json!({"plaintext": "YQ==", "aad": "Yg=="}),
            json!(["x", "YQ=="]),
        ] {
            let refused = parse::<Encrypt>(body.to_string().as_bytes()).err().unwrap();
            assert!(refused.message.contains("Unknown name"), "{refused:?}");
        }
    }

    #[test]
    fn a_digest_or_data_is_signed() {
        let read = |body: Value| {
            let read = parse::<AsymmetricSign>(body.to_string().as_bytes());
            read.and_then(AsymmetricSign::signed)
                .map_err(|status| status.code)
        };
        let bytes = |crc32c| Checked {
            bytes: b"a".to_vec(),
            crc32c,
        };
        let digest = json!({"digest": {"sha384": "YQ=="}, "digestCrc32c": "7"});
        let expected = SignedBytes::Digest(Hash::Sha384, bytes(Some(7)));
        assert_eq!(read(digest), Ok(expected));
        let data = json!({"data": "YQ==", "data_crc32c": 7});
        assert_eq!(read(data), Ok(SignedBytes::Data(bytes(Some(7)))));
        // An empty digest is of the wrong length, and not a message.
        let empty = json!({"digest": {"sha256": ""}});
        let expected = SignedBytes::Digest(Hash::Sha256, Checked::default());
        assert_eq!(read(empty), Ok(expected));
        for body in [
            json!({"digest": {"sha256": "YQ=="}, "data": "YQ=="}),
            json!({"digest": {"sha256": "YQ==", "sha512": "YQ=="}}),
            json!({"digest": {"sha1": "YQ=="}}),
            json!({"digestCrc32c": "0"}),
            json!({"data": "YQ==", "digestCrc32c": "7"}),
        ] {
            assert_eq!(read(body.clone()), Err(400), "{body}");
        }
    }

    #[test]
    fn purposes_come_by_name_and_by_number() {
        let read = |body: Value| {
            let key = parse::<CryptoKey>(body.to_string().as_bytes()).map_err(|s| s.code)?;
            key.purpose().map_err(|s| s.code)
        };
        for name in [json!("ENCRYPT_DECRYPT"), json!(1)] {
            let body = json!({"purpose": name, "labels": {"a": "b"}});
            assert_eq!(read(body), Ok(Purpose::EncryptDecrypt));
        }
        for name in [json!("EC_SIGN_P256_SHA256"), json!(12)] {
            let body = json!({"purpose": 5, "version_template": {"algorithm": name}});
            let expected = Purpose::AsymmetricSign(SigningAlgorithm::EcP256);
            assert_eq!(read(body), Ok(expected));
        }
        for (algorithm, number, name) in SigningAlgorithm::ALL {
            for name in [json!(name), json!(number)] {
                let body = json!({"purpose": 5, "versionTemplate": {"algorithm": name}});
                assert_eq!(read(body), Ok(Purpose::AsymmetricSign(algorithm)));
                let body = json!({"purpose": 1, "versionTemplate": {"algorithm": name}});
                assert_eq!(read(body), Err(400), "{name}");
            }
            assert_eq!(json!(algorithm), json!(name));
        }
        for body in [
            json!({}),
            json!({"purpose": 5}),
            json!({"purpose": "MAC"}),
            json!({"purpose": 1, "versionTemplate": {"algorithm": 99}}),
            json!({"purpose": 1, "versionTemplate": {"algorithm": []}}),
            json!({"purpose": 1, "versionTemplate": ["SOFTWARE"]}),
            json!({"purpose": 1, "versionTemplate": {"protectionLevel": "HSM"}}),
            json!({"purpose": 1, "foo": 1}),
        ] {
            assert_eq!(read(body.clone()), Err(400), "{body}");
        }
        assert_eq!(read(json!({"purpose": 1, "importOnly": true})), Err(501));
    }
}
