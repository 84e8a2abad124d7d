//! `builder publish` does what `push`, `sign` and `attest` do, and can be repeated. `builder key` prints the key ID.

use std::fs;
use std::process::Output;

use content::Digest;
use oci::{Execution, Tag, Target, media};
use serde_json::Value;

use crate::world::{P256, World, block_on, connect, success};

fn stdout(output: &Output) -> String {
    success(output);
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A layout in the folder `layout`, and a key in the file `key`.
fn world(test: &str) -> Option<(World, Digest)> {
    let world = World::new(test)?;
    world.key(&P256);
    let digest = world.layout("layout", Execution::default());
    Some((world, digest))
}

#[test]
fn publishing_again_says_what_was_there() {
    let Some((mut world, digest)) = world("publishing_again_says_what_was_there") else {
        return;
    };
    let reference = format!("{}:v1", world.repository);
    let publish = [
        "publish",
        "layout",
        &reference,
        "--key",
        "key",
        "-a",
        "stage=test",
    ];
    world.image.digest = digest;
    success(&world.build(&["push", "layout", &reference]));
    let first = world.build(&publish);
    assert_eq!(stdout(&first), format!("{}\n", world.image));
    let said = "image: published before\nsignature: published\nattestation slsaprovenance1: published\n\
                attestation cyclonedx: published\n";
    assert!(stderr(&first).contains(said), "{}", stderr(&first));
    let published = world.published();
    assert!(world.verifies(&["verify", "-a", "stage=test"]));
    assert!(world.verifies(&["verify-attestation", "--type", "slsaprovenance1"]));
    assert!(world.verifies(&["verify-attestation", "--type", "cyclonedx"]));
    let again = world.build(&publish);
    assert_eq!(stdout(&again), format!("{}\n", world.image));
    assert_eq!(stderr(&again).matches(": published before\n").count(), 4);
    assert_eq!(world.published(), published);
    // The same as the single commands.
    success(&world.builder("sign", &["--key", "key", "-a", "stage=test"]));
    let attest = [
        "--key",
        "key",
        "--type",
        "cyclonedx",
        "--predicate",
        "layout/sbom.cdx.json",
    ];
    success(&world.builder("attest", &attest));
    assert_eq!(world.published(), published);
}

#[test]
fn a_failure_in_the_middle_says_what_is_left() {
    let Some((mut world, digest)) = world("a_failure_in_the_middle_says_what_is_left") else {
        return;
    };
    world.image.digest = digest;
    let index = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    let tag = Target::Tag(Tag::of_digest(&digest, ".sig").unwrap());
    let registry = connect(&world.repository);
    block_on(async move {
        let pushed = registry.push_manifest(&tag, index.as_bytes(), media::INDEX);
        pushed.await.unwrap()
    });
    let reference = format!("{}:v1", world.repository);
    let failed = world.build(&["publish", "layout", &reference, "--key", "key"]);
    let said = stderr(&failed);
    assert_eq!(failed.status.code(), Some(2), "{said}");
    assert!(failed.stdout.is_empty());
    let left = "image: published\nnot published: signature, attestation slsaprovenance1, attestation cyclonedx; the same \
                `builder publish` command goes on with it\nbuilder: error: signing ";
    assert!(said.contains(left), "{said}");
    let pushed = said.lines().nth(1).unwrap().split_once(" / ").unwrap();
    assert_eq!(pushed.0, format!("#1 push the image {}", pushed.1));
    // Everything that can be wrong without the registry is found first.
    fs::remove_file(world.path("layout/sbom.cdx.json")).unwrap();
    let reference = format!("{}:v2", world.repository);
    let failed = world.build(&["publish", "layout", &reference, "--key", "key"]);
    assert!(
        stderr(&failed).starts_with("builder: error: reading layout/sbom.cdx.json: "),
        "{}",
        stderr(&failed)
    );
    let registry = connect(&world.repository);
    let found = block_on(async move { registry.resolve(&"v2".parse().unwrap()).await });
    assert_eq!(found.unwrap(), None);
}

#[test]
fn a_key_has_one_id() {
    let Some((world, _)) = world("a_key_has_one_id") else {
        return;
    };
    world.openssl(&[
        "pkey", "-in", "key", "-pubout", "-outform", "der", "-out", "der",
    ]);
    let key_id = Digest::of(&fs::read(world.path("der")).unwrap()).hex();
    for key in ["key", "key.pub"] {
        let printed = world.build(&["key", key]);
        assert_eq!(stdout(&printed), format!("{key_id}\n"));
        assert!(
            stderr(&printed).contains("as ECDSA_P256_SHA256"),
            "{}",
            stderr(&printed)
        );
    }
    success(&world.cosign(&["import-key-pair", "--key", "key", "-o", "sealed", "-y"]));
    assert_eq!(
        stdout(&world.build(&["key", "sealed.key"])),
        format!("{key_id}\n")
    );
    let report: Value =
        serde_json::from_str(&stdout(&world.build(&["key", "key", "--json"]))).unwrap();
    assert_eq!(report["key_id"], key_id);
    assert_eq!(report["algorithm"], "ecdsa-der-sha256");
    assert_eq!(
        report["pem"],
        fs::read_to_string(world.path("key.pub")).unwrap()
    );
    let made = world.build(&["keygen", "made", "--algorithm", "ed25519"]);
    let made = stdout(&made);
    let made: Vec<_> = made.lines().collect();
    assert_eq!(made[..2], ["made.key", "made.pub"]);
    let printed = world.build(&["key", "made.pub", "--json"]);
    let report: Value = serde_json::from_str(&stdout(&printed)).unwrap();
    assert_eq!(
        (&report["key_id"], &report["confidential_space"]),
        (&made[2].into(), &Value::Null)
    );
    assert!(stderr(&printed).contains("does not read its signatures"));
    let failed = world.build(&["key", "layout/provenance.json"]);
    assert_eq!(failed.status.code(), Some(2));
    assert!(stderr(&failed).contains("hint: "), "{}", stderr(&failed));
}
