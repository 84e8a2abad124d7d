//! Keys of each type and cosign, both ways. A test whose program is missing is reported as skipped.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test, its helpers included"
)]

mod world;

use std::io;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use signature::simple_signing::Payload;
use signature::{Annotations, KeyType, PublicKey};
use signer::{Access, KeyRef, Published, Signer, attest_image, sign_image};
use world::{World, predicates, program};
use zeroize::Zeroizing;

/// A key, how it signs, and whether `cosign verify --key` 3.1.3 reads it, in either layout. It reads SHA-256 and Ed25519
/// only, though cosign signs with the digest of the curve, and with Ed25519ph in bundles.
struct Case {
    key_type: KeyType,
    algorithm: Option<&'static str>,
    is_read: bool,
}

impl Case {
    fn name(&self) -> String {
        format!("{}-{}", self.key_type, self.algorithm.unwrap_or("default"))
    }
}

fn cases() -> Vec<Case> {
    let default = KeyType::ALL.map(|key_type| Case {
        key_type,
        algorithm: None,
        is_read: !matches!(key_type, KeyType::P384 | KeyType::P521),
    });
    let with = |key_type, algorithm, is_read| Case {
        key_type,
        algorithm: Some(algorithm),
        is_read,
    };
    let named = [
        with(KeyType::P384, "ecdsa-der-sha256", true),
        with(KeyType::P521, "ecdsa-der-sha256", true),
        with(KeyType::Ed25519, "ed25519ph", false),
    ];
    default.into_iter().chain(named).collect()
}

#[tokio::test]
async fn cosign_verifies_signatures_of_each_type_of_key() {
    let test = "cosign_verifies_signatures_of_each_type_of_key";
    let (Some(world), Some(cosign)) = (World::new(test).await, program("cosign")) else {
        return;
    };
    for case in cases() {
        world.signer_of(&case.name(), case.key_type).await;
        let access = Access {
            algorithm: case.algorithm.map(|name| name.parse().unwrap()),
            ..Access::default()
        };
        let key = KeyRef::File(world.folder.path().join(case.name()));
        let signer = Signer::open(&key, access).await.unwrap();
        let (registry, image) = (&world.registry, &world.image);
        let signed = sign_image(registry, image, &signer, &Annotations::default()).await;
        assert_eq!(signed.unwrap(), Published::Listed);
        let [(kind, provenance), _] = predicates();
        let attested = attest_image(registry, image, &signer, &kind, provenance).await;
        assert_eq!(attested.unwrap(), Published::Listed);
        let is_read = matches!(case.key_type, KeyType::P256 | KeyType::Rsa { .. });
        assert_eq!(signer.note().is_none(), is_read, "{}", case.name());
    }
    world.signer("other").await;
    let attestation = ["verify-attestation", "--type", "slsaprovenance1"];
    for words in [&["verify"][..], &attestation] {
        let legacy = [words, &["--new-bundle-format=false"]].concat();
        let read = cases().into_iter().map(|case| {
            let key = format!("{}.pub", case.name());
            let read = [words, &legacy].map(|words| world.cosign(&cosign, &key, words));
            (key, read)
        });
        let read: Vec<_> = read.collect();
        let expected = cases().into_iter().map(|case| {
            let key = format!("{}.pub", case.name());
            (key, [case.is_read; 2])
        });
        assert_eq!(read, expected.collect::<Vec<_>>(), "{words:?}");
        assert!(!world.cosign(&cosign, "other.pub", words));
        assert!(!world.cosign(&cosign, "other.pub", &legacy));
    }
}

fn run(cosign: &Path, folder: &Path, words: &[&str]) {
    let mut command = Command::new(cosign);
    command.args(words).current_dir(folder).env("HOME", folder);
    let output = command.env("COSIGN_PASSWORD", "pw").output().unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {printed}");
}

#[tokio::test]
async fn signatures_of_cosign_with_each_type_of_key_are_verified() {
    let test = "signatures_of_cosign_with_each_type_of_key_are_verified";
    let (Some(world), Some(cosign)) = (World::new(test).await, program("cosign")) else {
        return;
    };
    let folder = world.folder.path();
    let image = world.image.to_string();
    let offline = ["--use-signing-config=false", "--tlog-upload=false"];
    for key_type in KeyType::ALL {
        let name = key_type.to_string();
        world.signer_of(&name, key_type).await;
        let imported = format!("{name}-imported");
        run(
            &cosign,
            folder,
            &[
                "import-key-pair",
                "--key",
                &name,
                "--output-key-prefix",
                &imported,
            ],
        );
        let key = format!("{imported}.key");
        let sign = ["sign", "--key", &key, "--allow-http-registry", "-y"];
        run(&cosign, folder, &[&sign[..], &offline, &[&image]].concat());
        let legacy = ["--new-bundle-format=false"];
        run(
            &cosign,
            folder,
            &[&sign[..], &offline, &legacy, &[&image]].concat(),
        );
        check_imported(folder, &name).await;
    }
    let (bundles, payloads) = (world.bundles().await, world.layers(".sig").await);
    for key_type in KeyType::ALL {
        let pem = std::fs::read_to_string(folder.join(format!("{key_type}.pub"))).unwrap();
        let key = PublicKey::from_pem(&pem).unwrap();
        let by_key =
            |(_, bundle): &(_, signature::bundle::Bundle)| bundle.envelope().verify(&key).is_ok();
        assert_eq!(
            bundles.iter().filter(|bundle| by_key(bundle)).count(),
            1,
            "{key_type}"
        );
        let by_key = payloads.iter().filter(|(layer, payload)| {
            let signature = &layer.annotations["dev.cosignproject.cosign/signature"];
            Payload::verify(payload, &BASE64.decode(signature).unwrap(), &key).is_ok()
        });
        assert_eq!(by_key.count(), 1, "{key_type}");
    }
}

/// The key that cosign encrypted is the key that it read, and opens with its password only.
async fn check_imported(folder: &Path, name: &str) {
    let open = async |file: &str, password| {
        let access = Access {
            password,
            ..Access::default()
        };
        Signer::open(&KeyRef::File(folder.join(file)), access).await
    };
    let encrypted = format!("{name}-imported.key");
    let signer = open(&encrypted, || Ok(Zeroizing::new("pw".to_owned())))
        .await
        .unwrap();
    let plain = open(name, || Err(io::Error::other("not needed")))
        .await
        .unwrap();
    assert_eq!(signer.public(), plain.public());
    let wrong = open(&encrypted, || Ok(Zeroizing::new("wp".to_owned())))
        .await
        .err()
        .unwrap();
    assert!(wrong.to_string().contains("wrong password"), "{wrong}");
    assert!(wrong.hint().unwrap().contains("COSIGN_PASSWORD"));
    let none = open(&encrypted, || Err(io::Error::other("no terminal")))
        .await
        .err()
        .unwrap();
    assert!(
        none.to_string()
            .ends_with("asking for its password: no terminal"),
        "{none}"
    );
}

#[tokio::test]
async fn an_algorithm_of_another_type_of_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let key = signature::PrivateKey::generate().unwrap();
    std::fs::write(&path, key.to_pem().unwrap()).unwrap();
    let open = async |algorithm: &str| {
        let access = Access {
            algorithm: Some(algorithm.parse().unwrap()),
            ..Access::default()
        };
        Signer::open(&KeyRef::File(path.clone()), access).await
    };
    let signer = open("ecdsa-p1363-sha256").await.unwrap();
    let signature = signer.sign(b"message").await.unwrap();
    assert_eq!(signature.len(), 64);
    for algorithm in ["rsa-pss-sha256", "ecdsa-der-sha384"] {
        let error = open(algorithm).await.err().unwrap();
        assert!(
            error
                .to_string()
                .ends_with(&format!("does not sign with {algorithm}")),
            "{error}"
        );
        assert_eq!(error.hint(), Some("choose another --algorithm, or none"));
    }
}
