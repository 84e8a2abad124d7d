use signature::Hash;

use super::*;
use crate::services::testing::{OWNER, at, iam};

const LOCATION: &str = "projects/project/locations/global";
const RING: &str = "projects/project/locations/global/keyRings/r";

fn ring(parent: &str, id: &str) -> CreateKeyRing {
    CreateKeyRing {
        parent: parent.parse().unwrap(),
        id: id.into(),
    }
}

fn key(id: &str, purpose: Purpose) -> CreateCryptoKey {
    CreateCryptoKey {
        parent: RING.parse().unwrap(),
        id: id.into(),
        purpose,
        labels: std::collections::BTreeMap::new(),
    }
}

fn signing() -> KeyVersion {
    let key: Key = format!("{RING}/cryptoKeys/signing").parse().unwrap();
    key.first_version()
}

fn kms_of(keys: Stored<Keys>) -> Kms {
    Kms::new(keys, Arc::new(iam()))
}

fn kms() -> Kms {
    let kms = kms_of(Stored::in_memory(Keys::default()));
    kms.create_key_ring(&OWNER, &ring(LOCATION, "r")).unwrap();
    for id in ["a", "b"] {
        let key = key(id, Purpose::EncryptDecrypt);
        kms.create_crypto_key(&OWNER, &key).unwrap();
    }
    let signing = key("signing", Purpose::AsymmetricSign(SigningAlgorithm::EcP256));
    kms.create_crypto_key(&OWNER, &signing).unwrap();
    kms
}

fn checked(bytes: &[u8]) -> Checked {
    let bytes = bytes.to_vec();
    let crc32c = None;
    Checked { bytes, crc32c }
}

fn encrypt(name: &str) -> Encrypt {
    Encrypt {
        name: match name.parse() {
            Ok(version) => KeyOrVersion::Version(version),
            Err(_) => KeyOrVersion::Key(name.parse().unwrap()),
        },
        plaintext: checked(b"text"),
        aad: checked(b"aad"),
    }
}

#[test]
fn decrypts_with_the_same_key_and_data_only() {
    let kms = kms();
    let [a, b] = ["a", "b"].map(|id| format!("{RING}/cryptoKeys/{id}"));
    let sealed = kms.encrypt(&OWNER, &encrypt(&a)).unwrap();
    let open = |name: &str, aad: &[u8]| {
        let request = Decrypt {
            name: name.parse().unwrap(),
            ciphertext: checked(&sealed.ciphertext),
            aad: checked(aad),
        };
        kms.decrypt(&OWNER, &request).map_err(|status| status.code)
    };
    assert_eq!(open(&a, b"aad"), Ok(b"text".to_vec()));
    assert_eq!(open(&a, b"other"), Err(400));
    assert_eq!(open(&b, b"aad"), Err(400));
    assert_eq!(
        open(&format!("{RING}/cryptoKeys/signing"), b"aad"),
        Err(400)
    );
    assert_eq!(open(&format!("{RING}/cryptoKeys/none"), b"aad"), Err(404));
}

#[test]
fn a_wrong_checksum_names_its_field() {
    let kms = kms();
    let name = format!("{RING}/cryptoKeys/a");
    let right = i64::from(crc32c::crc32c(b"text"));
    let mut request = encrypt(&name);
    request.plaintext.crc32c = Some(right);
    let sealed = kms.encrypt(&OWNER, &request).unwrap();
    assert!(sealed.verified_plaintext && !sealed.verified_aad);
    let wrong = |bytes: &[u8]| Checked {
        crc32c: Some(1),
        ..checked(bytes)
    };
    request.aad = wrong(b"aad");
    let sign = AsymmetricSign {
        name: signing(),
        signed: SignedBytes::Digest(Hash::Sha256, wrong(&[0; 32])),
    };
    for (refused, field) in [
        (
            kms.encrypt(&OWNER, &request).err(),
            "additional_authenticated_data",
        ),
        (kms.sign(&OWNER, &sign).err(), "digest"),
    ] {
        let expected = format!(
            "The checksum in field {field}_crc32c did not match the data in field {field}."
        );
        assert_eq!(refused.unwrap().message, expected);
    }
}

#[test]
fn encrypts_with_a_version_too() {
    let kms = kms();
    let name = format!("{RING}/cryptoKeys/a");
    let version = format!("{name}/cryptoKeyVersions/1");
    let sealed = kms.encrypt(&OWNER, &encrypt(&version)).unwrap();
    assert_eq!(sealed.name.to_string(), version);
    let open = |name: &str| {
        let request = Decrypt {
            name: name.parse().unwrap(),
            ciphertext: checked(&sealed.ciphertext),
            aad: checked(b"aad"),
        };
        kms.decrypt(&OWNER, &request).map_err(|status| status.code)
    };
    assert!(open(&name).is_ok());
    let other = encrypt(&format!("{name}/cryptoKeyVersions/2"));
    assert_eq!(kms.encrypt(&OWNER, &other).unwrap_err().code, 404);
}

#[test]
fn checks_location_and_id_of_key_rings() {
    let kms = kms();
    let code = |parent: &str, id: &str| {
        let made = kms.create_key_ring(&OWNER, &ring(parent, id));
        made.map_err(|status| status.code)
    };
    let location = |location: &str| format!("projects/project/locations/{location}");
    assert!(code(&location("us-central1"), "r").is_ok());
    assert_eq!(code(&location("nowhere-1"), "r"), Err(404));
    assert_eq!(code(LOCATION, "r"), Err(409));
    assert_eq!(code("projects/other1/locations/global", "r"), Err(403));
    assert!(code(LOCATION, &"a".repeat(63)).is_ok());
    for id in ["", "a/b", "a.b", &"a".repeat(64)] {
        assert_eq!(code(LOCATION, id), Err(400), "{id}");
    }
}

#[test]
fn keys_are_kept_for_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let keys = Stored::open(folder.path(), "kms", || Ok::<_, ()>(Keys::default()));
        kms_of(keys.unwrap())
    };
    let first = open();
    first.create_key_ring(&OWNER, &ring(LOCATION, "r")).unwrap();
    let purposes = [
        Purpose::EncryptDecrypt,
        Purpose::AsymmetricSign(SigningAlgorithm::EcP256),
    ];
    for (id, purpose) in ["data", "signing"].into_iter().zip(purposes) {
        first.create_crypto_key(&OWNER, &key(id, purpose)).unwrap();
    }
    let data = format!("{RING}/cryptoKeys/data");
    let sealed = first.encrypt(&OWNER, &encrypt(&data)).unwrap();
    let second = open();
    let request = Decrypt {
        name: data.parse().unwrap(),
        ciphertext: checked(&sealed.ciphertext),
        aad: checked(b"aad"),
    };
    assert_eq!(second.decrypt(&OWNER, &request), Ok(b"text".to_vec()));
    let public = |kms: &Kms| kms.public_key(&OWNER, &signing()).unwrap();
    assert_eq!(public(&first), public(&second));
    let again = second.create_key_ring(&OWNER, &ring(LOCATION, "r"));
    assert_eq!(again.unwrap_err().code, 409);
}

/// Each algorithm signs a digest of its own type, or data, and is verified by the library that signers use.
#[test]
fn signs_with_each_algorithm() {
    let kms = kms();
    let message = b"what is signed";
    for (algorithm, _, name) in SigningAlgorithm::ALL {
        let id = name.to_lowercase();
        kms.create_crypto_key(&OWNER, &key(&id, Purpose::AsymmetricSign(algorithm)))
            .unwrap();
        let version: KeyVersion = format!("{RING}/cryptoKeys/{id}/cryptoKeyVersions/1")
            .parse()
            .unwrap();
        let (found, pem) = kms.public_key(&OWNER, &version).unwrap();
        assert_eq!(found, algorithm);
        let ours = match name.rsplit_once('_').unwrap() {
            (start, "SHA256") if start.contains("PSS") => "rsa-pss-sha256",
            (start, "SHA512") if start.contains("PSS") => "rsa-pss-sha512",
            (start, "SHA256") if start.contains("PKCS1") => "rsa-pkcs1-sha256",
            (start, "SHA512") if start.contains("PKCS1") => "rsa-pkcs1-sha512",
            (_, "SHA256") => "ecdsa-der-sha256",
            (_, "SHA384") => "ecdsa-der-sha384",
            _ => "ed25519",
        };
        let ours: signature::Algorithm = ours.parse().unwrap();
        let public = signature::PublicKey::from_pem(&pem).unwrap();
        let public = public.with_algorithm(ours).unwrap();
        let sign = |signed| {
            let name = version.clone();
            kms.sign(&OWNER, &AsymmetricSign { name, signed })
        };
        let signed = sign(SignedBytes::Data(checked(message))).unwrap();
        public.verify(message, &signed.signature).unwrap();
        for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
            let digest = checked(&hash.digest(message));
            match sign(SignedBytes::Digest(hash, digest)) {
                Ok(signed) => {
                    assert_eq!(ours.hash(), Some(hash));
                    public.verify(message, &signed.signature).unwrap();
                }
                Err(status) => {
                    assert_ne!(ours.hash(), Some(hash), "{name}");
                    assert_eq!(status.code, 400);
                }
            }
        }
        let large = sign(SignedBytes::Data(checked(&vec![0; LIMIT + 1])));
        assert_eq!(large.unwrap_err().code, 400);
    }
}

#[test]
fn the_secret_of_a_destroyed_version_is_gone() {
    let kms = kms();
    let version = signing();
    let state = || kms.keys.look(|keys| serde_json::to_value(keys).unwrap());
    let secret = || {
        let state = state();
        let key = &state["keys"][version.key().to_string()];
        key["versions"]["1"]["secret"].clone()
    };
    kms.change_version(&OWNER, &version, VersionChange::Destroy)
        .unwrap();
    let end = 30 * 24 * 3600;
    let name = |now: u64| {
        let found = kms.version(&at(now), &version).unwrap();
        found.state.name(now)
    };
    assert_eq!(name(end - 1), "DESTROY_SCHEDULED");
    assert!(secret().is_string());
    assert_eq!(name(end), "DESTROYED");
    assert_eq!(secret(), serde_json::Value::Null);
    let refused = kms.public_key(&at(end), &version).unwrap_err();
    assert!(refused.message.contains("DESTROYED"), "{refused:?}");
    // A state on disk in which the time has passed meanwhile.
    let other = Key::new(RING.parse().unwrap(), "a")
        .unwrap()
        .first_version();
    kms.change_version(&OWNER, &other, VersionChange::Destroy)
        .unwrap();
    kms.destroy_due(end).unwrap();
    assert!(!kms.keys.look(|keys| keys.is_any_due(u64::MAX)));
}
