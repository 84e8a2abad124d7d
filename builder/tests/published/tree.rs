//! `builder tree` shows what is attached to an image, and which reader sees what.

use std::fs;
use std::str::FromStr as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::Digest;
use oci::{Descriptor, Index, Tag, Target};
use serde_json::{Value, json};

use crate::world::{P256, World, block_on, connect, success};

const ED25519: [&str; 2] = ["-algorithm", "ED25519"];

impl World {
    /// Makes a key pair `NAME` and `NAME.pub`, and signs with it. Returns the key ID.
    fn signs(&self, name: &str, algorithm: &[&str]) -> String {
        self.key_pair(name, algorithm);
        let signed = self.builder("sign", &["--key", name]);
        success(&signed);
        let stderr = String::from_utf8(signed.stderr).unwrap();
        let id = stderr
            .lines()
            .find_map(|line| line.strip_prefix("signed by key "));
        id.unwrap().to_owned()
    }

    fn tree(&self, words: &[&str]) -> String {
        let shown = self.builder("tree", words);
        success(&shown);
        String::from_utf8(shown.stdout).unwrap()
    }
}

#[track_caller]
fn has(text: &str, line: &str) {
    assert!(
        text.lines().any(|found| found.contains(line)),
        "{line}: {text}"
    );
}

#[test]
fn shows_who_sees_which_signature() {
    let Some(world) = World::new("shows_who_sees_which_signature") else {
        return;
    };
    let none = world.tree(&[]);
    assert_eq!(none.lines().count(), 2, "{none}");
    has(&none, "no signatures");
    world.signs("builder", &P256);
    let first = world.signs("collaborator-1", &P256);
    let second = world.signs("collaborator-2", &ED25519);
    let named = [
        "--key",
        "builder=builder.pub",
        "--key",
        "collaborator-2=collaborator-2.pub",
    ];
    let shown = world.tree(&named);
    has(&shown, "signature by builder (ecdsa-p256)");
    has(&shown, &format!("signature by key {first} (ecdsa-p256)"));
    has(&shown, "signature by collaborator-2 (ed25519)");
    has(
        &shown,
        "Confidential Space will count 2 of 3 signatures: collaborator-2's key is ed25519, which it does not read",
    );
    has(&shown, "cosign before 2.6 will count 3 of 3 signatures");
    has(&shown, "cosign 2.6 and 3 will count 3 of 3 signatures");
    // Nothing in a bundle, or in a payload for a key that Confidential Space does not read, has the key itself.
    let unnamed = world.tree(&[]);
    has(&unnamed, "signature by an unknown key");
    has(
        &unnamed,
        &format!("signature by key {second} (according to a hint)"),
    );
    has(
        &unnamed,
        &format!(
            "cosign 2.6 and 3 will count 2 of 4 signatures: key {second} (according to a hint) is not known here: name it with --key"
        ),
    );
    let json: Value =
        serde_json::from_str(&world.tree(&[&named[..], &["--json"]].concat())).unwrap();
    assert_eq!(json["items"].as_array().unwrap().len(), 6);
    assert_eq!(json["readers"][0]["counted"], 2);
    assert_eq!(json["items"][0]["signers"][0]["key"]["name"], "builder");
}

/// A key with `id-RSASSA-PSS`, whose salt is of an unusual length.
#[test]
fn shows_a_key_that_signs_with_pss_only() {
    let Some(world) = World::new("shows_a_key_that_signs_with_pss_only") else {
        return;
    };
    let options = "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha256 \
                   -pkeyopt rsa_pss_keygen_mgf1_md:sha256 -pkeyopt rsa_pss_keygen_saltlen:40";
    let options: Vec<_> = options.split_whitespace().collect();
    world.signs("party", &options);
    let shown = world.tree(&["--key", "party=party.pub"]);
    let kind = "rsa-pss-2048-sha256-salt40";
    has(&shown, &format!("signature by party ({kind})"));
    has(
        &shown,
        &format!(
            "Confidential Space will count 0 of 1 signatures: party's key is {kind}, which it does not read"
        ),
    );
    has(
        &shown,
        "party signs with rsa-pss-sha256-salt40, which `cosign verify --key` does not read",
    );
}

#[test]
fn shows_that_cosign_3_reads_bundles_only_if_there_is_one() {
    let Some(world) = World::new("shows_that_cosign_3_reads_bundles_only_if_there_is_one") else {
        return;
    };
    world.key(&P256);
    success(&world.cosign(&["import-key-pair", "--key", "key", "-o", "cosign", "-y"]));
    let image = world.image.to_string();
    let sign = |flag: &str| {
        let offline = ["--use-signing-config=false", "--tlog-upload=false", "-y"];
        let key = ["sign", "--key", "cosign.key", "--allow-http-registry", flag];
        success(&world.cosign(&[&key[..], &offline, &[&image]].concat()));
    };
    sign("--new-bundle-format=false");
    let key = ["--key", "me=key.pub"];
    let legacy = world.tree(&key);
    has(
        &legacy,
        "the payload of me does not name the key and its algorithm",
    );
    has(&legacy, "cosign 2.6 and 3 will count 1 of 1 signatures");
    let other = world.signs("other", &P256);
    let both = world.tree(&key);
    has(&both, "cosign before 2.6 will count 2 of 2 signatures");
    has(
        &both,
        "cosign 2.6 and 3 will count 1 of 2 signatures: me signed under a tag only, where it does not look",
    );
    has(
        &both,
        "Confidential Space will count 1 of 2 signatures: the payload of me",
    );
    assert!(world.verifies(&["verify", "--new-bundle-format=false"]));
    assert!(!world.verifies(&["verify"]), "{other}");
    sign("--new-bundle-format=true");
    let unnamed = world.tree(&key);
    has(
        &unnamed,
        "note: a signature by me does not name the repository",
    );
    has(&unnamed, "cosign 2.6 and 3 will count 2 of 2 signatures");
    assert!(world.verifies(&["verify"]));
}

#[test]
fn shows_attestations_and_what_cannot_be_read() {
    let Some(world) = World::new("shows_attestations_and_what_cannot_be_read") else {
        return;
    };
    world.signs("builder", &P256);
    let predicate = r#"{"buildDefinition":{"buildType":"t","externalParameters":{}},"runDetails":{"builder":{"id":"b"}}}"#;
    fs::write(world.path("predicate"), predicate).unwrap();
    let attest = [
        "--key",
        "builder",
        "--type",
        "slsaprovenance1",
        "--predicate",
        "predicate",
    ];
    success(&world.builder("attest", &attest));
    let append = |suffix: &str, media_type: &str, bytes: &[u8]| {
        let tag = Tag::of_digest(&world.image.digest, suffix).unwrap();
        let registry = connect(&world.repository);
        let layer = Descriptor::of(media_type, bytes);
        block_on(async move { registry.append_layer(&tag, layer, bytes).await.unwrap() });
    };
    append(".sbom", "text/spdx+json", b"{}");
    append(".sig", oci::media::SIMPLE_SIGNING, b"{\"a\x1b\":1}");
    // One blob, listed as two things.
    append(".sig", oci::media::SIMPLE_SIGNING, b"[]");
    append(".att", oci::media::DSSE_ENVELOPE, b"[]");
    let shown = world.tree(&["--key", "builder=builder.pub"]);
    has(
        &shown,
        "attestation slsaprovenance1 by builder (ecdsa-p256)",
    );
    has(
        &shown,
        "SBOM text/spdx+json, which does not name the image, 2 bytes",
    );
    for suffix in [".sig", ".att"] {
        let tag = Tag::of_digest(&world.image.digest, suffix).unwrap();
        let (digest, tag) = (Digest::of(b"[]"), tag.as_str());
        has(
            &shown,
            &format!("note: {digest} (tag {tag}) cannot be read: "),
        );
    }
    assert!(!shown.contains('\u{1b}'));
    has(&shown, "Confidential Space will count 1 of 1 signatures");
}

/// A certificate of no authority, for an email address and, as Fulcio's have it (`docs/oid-info.md`), an issuer.
fn certificate() -> rcgen::Certificate {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut wanted = rcgen::CertificateParams::default();
    let address = "me@example.com".try_into().unwrap();
    wanted.subject_alt_names = vec![rcgen::SanType::Rfc822Name(address)];
    let issuer = b"\x0c\x16https://issuer.example";
    let oid = [1, 3, 6, 1, 4, 1, 57264, 1, 8];
    wanted.custom_extensions = vec![rcgen::CustomExtension::from_oid_content(
        &oid,
        issuer.to_vec(),
    )];
    wanted.self_signed(&key).unwrap()
}

#[test]
fn shows_whom_certificates_name() {
    let Some(world) = World::new("shows_whom_certificates_name") else {
        return;
    };
    let certificate = certificate();
    let digest = world.image.digest;
    let append = |suffix: &str, media_type: &str, bytes: &[u8], annotated: bool| {
        let tag = Tag::of_digest(&digest, suffix).unwrap();
        let mut layer = Descriptor::of(media_type, bytes);
        if annotated {
            let pem = STANDARD.encode(certificate.der());
            let pem = format!("-----BEGIN CERTIFICATE-----\n{pem}\n-----END CERTIFICATE-----\n");
            let annotations = [
                ("dev.sigstore.cosign/certificate", pem.as_str()),
                ("dev.cosignproject.cosign/signature", "AAAA"),
            ];
            let annotations = annotations.map(|(name, value)| (name.to_owned(), value.to_owned()));
            layer.annotations = annotations.into();
        }
        let registry = connect(&world.repository);
        block_on(async move { registry.append_layer(&tag, layer, bytes).await.unwrap() });
    };
    let payload = json!({"critical": {
        "identity": {"docker-reference": world.repository.to_string()},
        "image": {"docker-manifest-digest": digest.to_string()},
        "type": "cosign container image signature",
    }, "optional": null});
    let payload = payload.to_string();
    append(".sig", oci::media::SIMPLE_SIGNING, payload.as_bytes(), true);
    let statement = |kind: &str| {
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"digest": {"sha256": digest.hex()}}],
            "predicateType": kind,
            "predicate": {},
        });
        let payload = STANDARD.encode(statement.to_string());
        let signatures = [json!({"sig": "AAAA"})];
        json!({"payloadType": "application/vnd.in-toto+json", "payload": payload, "signatures": signatures})
    };
    let envelope = statement("https://scan.example/v1").to_string();
    append(".att", oci::media::DSSE_ENVELOPE, envelope.as_bytes(), true);
    let bundle = json!({
        "mediaType": oci::media::SIGSTORE_BUNDLE,
        "verificationMaterial": {"certificate": {"rawBytes": STANDARD.encode(certificate.der())}},
        "dsseEnvelope": statement("https://sigstore.dev/cosign/sign/v1"),
    });
    let bundle = bundle.to_string();
    append(
        ".att",
        oci::media::SIGSTORE_BUNDLE,
        bundle.as_bytes(),
        false,
    );
    let shown = world.tree(&[]);
    let signer = "me@example.com of https://issuer.example";
    let by = format!("── signature by {signer} (certificate, not verified here)");
    assert_eq!(shown.matches(&by).count(), 2, "{shown}");
    has(
        &shown,
        &format!("attestation https://scan.example/v1 by {signer}"),
    );
    has(
        &shown,
        &format!("note: a signature by {signer} does not name the repository"),
    );
    has(
        &shown,
        &format!(
            "Confidential Space will count 0 of 1 signatures: it reads keys, and not the certificate of {signer}"
        ),
    );
}

/// As `cosign sign --attachment sbom` signs.
#[test]
fn shows_who_signed_an_attached_sbom() {
    let Some(mut world) = World::new("shows_who_signed_an_attached_sbom") else {
        return;
    };
    fs::write(world.path("sbom"), attest::Sbom::new().to_bytes().unwrap()).unwrap();
    let attached = world.builder("attach-sbom", &["--sbom", "sbom"]);
    success(&attached);
    let shown = world.tree(&[]);
    has(
        &shown,
        "SBOM application/vnd.cyclonedx+json, which does not name the image",
    );
    assert!(!shown.contains("on this SBOM"), "{shown}");
    let bom: oci::ImageRef = String::from_utf8(attached.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let image = std::mem::replace(&mut world.image, bom);
    world.signs("builder", &P256);
    world.image = image;
    let shown = world.tree(&["--key", "builder=builder.pub"]);
    has(&shown, "signature on this SBOM by builder (ecdsa-p256)");
    has(&shown, "no signatures");
}

/// BuildKit puts attestations into the index of an image.
#[test]
fn shows_attestations_in_an_index() {
    let Some(mut world) = World::new("shows_attestations_in_an_index") else {
        return;
    };
    let registry = connect(&world.repository);
    let digest = world.image.digest;
    world.image.digest = block_on(async move {
        let manifest = registry.manifest(&digest).await.unwrap();
        let image = Descriptor::of(oci::media::MANIFEST, &manifest);
        let mut attestation = image.clone();
        let annotations = [
            (
                "vnd.docker.reference.type",
                "attestation-manifest".to_owned(),
            ),
            ("vnd.docker.reference.digest", digest.to_string()),
        ];
        let annotations = annotations.map(|(name, value)| (name.to_owned(), value));
        attestation.annotations = annotations.into();
        let index = Index::new(vec![image, attestation]).to_bytes().unwrap();
        let target = Target::Tag(Tag::from_str("index").unwrap());
        let pushed = registry.push_manifest(&target, &index, oci::media::INDEX);
        pushed.await.unwrap()
    });
    let note = format!("note: attestation {digest} in the image index has no signature (BuildKit)");
    has(&world.tree(&[]), &note);
}

/// A request that fails is not taken for an image without signatures.
#[test]
fn no_answer_is_an_error() {
    let Some(mut world) = World::new("no_answer_is_an_error") else {
        return;
    };
    let refused = |world: &World| {
        let output = world.builder("tree", &[]);
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    };
    let digest = world.image.digest;
    world.image.digest = Digest::of(b"another image");
    has(&refused(&world), "not found");
    world.image.digest = digest;
    world.signs("builder", &P256);
    world.stop();
    has(&refused(&world), "hint: ");
}
