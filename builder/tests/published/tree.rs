//! `builder tree` shows what is attached to an image, and which reader sees what.

use std::fs;

use content::Digest;
use oci::{Descriptor, Tag};
use serde_json::Value;

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
    has(&shown, "SBOM text/spdx+json, unsigned, 2 bytes");
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
