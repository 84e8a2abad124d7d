//! A registry that keeps no list of referrers and resolves the list's tag as the image's digest.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "../../remote/tests/play/mod.rs"]
mod play;

use attest::Vsa;
use content::Digest;
use oci::{ImageRef, Manifest, Tag};
use play::{Play, reply};
use remote::Transport;
use serde_json::json;
use signature::{Annotations, PrivateKey};
use signer::{Access, KeyRef, Published, Signer, attest_image, sign_image};

const IMAGE: &[u8] =
    br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
    "config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,
    "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[
    {"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","size":2,
    "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}]}"#;

async fn registry() -> Play {
    let digest = Digest::of(IMAGE);
    let by_digest = format!("/v2/a/b/manifests/{digest}");
    let by_tag = format!("/v2/a/b/manifests/sha256-{}", digest.hex());
    Play::serve(move |request, _| {
        let is_image = [&by_digest, &by_tag].contains(&&request.path);
        match (request.method.as_str(), is_image) {
            ("GET", true) => reply("200 OK", "", IMAGE),
            ("PUT", true) => reply("400 Bad Request", "", b""),
            ("PUT", false) => reply("201 Created", "", b""),
            ("HEAD", _) => reply("200 OK", "", b""),
            _ => match request.earlier_body("PUT", &request.path) {
                Some(stored) => reply("200 OK", "", &stored),
                None => reply("404 Not Found", "", b""),
            },
        }
    })
    .await
}

#[tokio::test]
async fn the_legacy_layout_is_published() {
    let play = registry().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    std::fs::write(&path, PrivateKey::generate().unwrap().to_pem().unwrap()).unwrap();
    let signer = Signer::open(&KeyRef::File(path), Access::default())
        .await
        .unwrap();
    let registry = play.connect(&Transport::PlainHttp);
    let image = ImageRef {
        repository: registry.repository().clone(),
        digest: Digest::of(IMAGE),
    };
    let signed = sign_image(&registry, &image, &signer, &Annotations::default())
        .await
        .unwrap();
    assert_eq!(signed, Published::Unlisted);
    // True also of an attached bundle, beside which there may be no tag.
    let note = signed.note().unwrap();
    assert!(note.contains("only what is under the legacy tag"));
    assert!(signed.note().unwrap().contains("legacy tag"));
    let (kind, verdict) = (Vsa::PREDICATE, json!({"timeVerified": "now"}));
    let attested = attest_image(&registry, &image, &signer, &kind, verdict).await;
    assert_eq!(attested.unwrap(), Published::Unlisted);
    for suffix in [".sig", ".att"] {
        let tag = Tag::of_digest(&image.digest, suffix).unwrap();
        let stored = registry.manifest_by_tag(&tag).await.unwrap().unwrap();
        assert_eq!(
            Manifest::parse(&stored).unwrap().layers.len(),
            1,
            "{suffix}"
        );
    }
}
