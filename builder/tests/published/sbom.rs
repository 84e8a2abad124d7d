//! A bill of materials under a tag of its own, which cosign reads.

use std::fs;

use content::Digest;
use oci::{Manifest, Tag};

use crate::world::{P256, World, block_on, connect, success};

const CYCLONEDX: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","version":1}"#;
const SPDX: &str = "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\nDocumentName: a\n\
    DocumentNamespace: https://example.com/a\nCreator: Tool: t\nCreated: 2026-01-02T03:04:05Z\n";

/// The manifest under the image's tag.
fn attached(world: &World) -> Vec<u8> {
    let tag = Tag::of_digest(&world.image.digest, ".sbom").unwrap();
    let registry = connect(&world.repository);
    block_on(async move { registry.manifest_by_tag(&tag).await.unwrap().unwrap() })
}

#[test]
fn a_bill_of_materials_is_attached_and_signed() {
    let Some(mut world) = World::new("a_bill_of_materials_is_attached_and_signed") else {
        return;
    };
    world.key(&P256);
    for (document, media_type) in [
        (SPDX, "text/spdx"),
        (CYCLONEDX, "application/vnd.cyclonedx+json"),
    ] {
        fs::write(world.path("bill"), document).unwrap();
        success(&world.builder("attach-sbom", &["--sbom", "bill"]));
        let manifest = Manifest::parse(&attached(&world)).unwrap();
        // One document: the second replaces the first.
        let [layer] = &manifest.layers[..] else {
            panic!("{manifest:?}");
        };
        assert_eq!(layer.media_type, media_type);
        assert_eq!(layer.digest, Digest::of(document.as_bytes()));
    }
    let output = world.builder("attach-sbom", &["--sbom", "bill"]);
    success(&output);
    let digest = Digest::of(&attached(&world));
    let name = format!("{}@{digest}\n", world.image.repository);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), name);
    let refused = world.builder("attach-sbom", &["--sbom", "key"]);
    assert_eq!(refused.status.code(), Some(2));

    let image = world.image.to_string();
    let read = world.cosign(&["download", "sbom", "--allow-http-registry", &image]);
    success(&read);
    assert!(String::from_utf8(read.stdout).unwrap().contains(CYCLONEDX));

    world.image.digest = digest;
    assert!(!world.verifies(&["verify", "--new-bundle-format=false"]));
    success(&world.builder("sign", &["--key", "key"]));
    assert!(world.verifies(&["verify", "--new-bundle-format=false"]));
}
