//! Signatures and other documents that refer to an image.

use super::*;

async fn referrer(registry: &Registry, subject: &Descriptor, content: &[u8]) -> Manifest {
    let bundle = media::SIGSTORE_BUNDLE;
    let layer = registry.push_blob(bundle, content).await.unwrap();
    Manifest::referrer(bundle, layer, subject.clone())
}

/// This registry keeps no list of referrers, so the client keeps it under a tag.
#[tokio::test]
async fn referrers_are_listed_under_the_tag() {
    let Some(server) = Server::start("referrers_are_listed_under_the_tag", "") else {
        return;
    };
    let registry = connect(&server, "a/b");
    let dir = tempfile::tempdir().unwrap();
    let target = Target::Tag(tag("v1"));
    let image = registry
        .push_layout(&layout(dir.path(), 10), &target)
        .await
        .unwrap();
    let subject = registry.resolve(&tag("v1")).await.unwrap().unwrap();
    let mut expected = Vec::new();
    for content in [&b"one"[..], b"two", b"two"] {
        let manifest = referrer(&registry, &subject, content).await;
        let attached = registry.attach_referrer(manifest.clone()).await.unwrap();
        let digest = Digest::of(&manifest.to_bytes().unwrap());
        assert_eq!(attached, Attached::Listed(digest));
        expected.push((digest, manifest));
    }
    expected.pop();
    expected.sort_by_key(|(digest, _)| *digest);
    let found = registry.referrers(&image).await.unwrap();
    assert_eq!(found.manifests, expected);
    assert_eq!(found.passed_over, []);

    let list = Tag::of_digest(&image, "").unwrap();
    let list = registry.manifest_by_tag(&list).await.unwrap().unwrap();
    let list = Index::parse(&list).unwrap().manifests;
    assert_eq!(list.len(), 2);
    let artifact_type = Some(media::SIGSTORE_BUNDLE.to_owned());
    assert!(
        list.iter()
            .all(|entry| entry.artifact_type == artifact_type)
    );
    let without = Manifest::new(Descriptor::empty(), vec![]);
    let error = registry.attach_referrer(without).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "attaching referrer: manifest has no subject"
    );
}

#[tokio::test]
async fn signatures_gather_under_the_legacy_tag() {
    let Some(server) = Server::start("signatures_gather_under_the_legacy_tag", "") else {
        return;
    };
    let registry = connect(&server, "a/b");
    let tag = Tag::of_digest(&Digest::of(b"image"), ".sig").unwrap();
    let signature = |payload: &[u8], signature: &str| {
        let mut layer = Descriptor::of(media::SIMPLE_SIGNING, payload);
        let key = "dev.cosignproject.cosign/signature".to_owned();
        layer.annotations.insert(key, signature.to_owned());
        layer
    };
    let layers = [
        signature(b"p", "a"),
        signature(b"p", "b"),
        signature(b"q", "c"),
    ];
    for (layer, payload) in layers.iter().zip([b"p", b"p", b"q"]) {
        registry
            .append_layer(&tag, layer.clone(), payload)
            .await
            .unwrap();
        registry
            .append_layer(&tag, layer.clone(), payload)
            .await
            .unwrap();
    }
    let found = registry.manifest_by_tag(&tag).await.unwrap().unwrap();
    let found = Manifest::parse(&found).unwrap();
    assert_eq!(found.layers, layers);
    let config = registry.blob(&found.config, limits::CONFIG).await.unwrap();
    let diff_ids = Config::parse(&config).unwrap().rootfs.diff_ids;
    assert_eq!(diff_ids, layers.each_ref().map(|layer| layer.digest));
    let lie = registry
        .append_layer(&tag, signature(b"r", "d"), b"s")
        .await;
    assert!(matches!(lie, Err(Error::DigestMismatch { .. })));
}
