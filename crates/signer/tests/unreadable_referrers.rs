//! Unreadable referrers of other tools do not prevent publishing.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test, its helpers included"
)]

mod world;

use oci::{Descriptor, Manifest, media};
use world::World;

/// Blobs of another size than their descriptors say, and one that is not a bundle.
#[tokio::test]
async fn unreadable_referrers_are_skipped() {
    let test = "unreadable_referrers_are_skipped";
    let Some(world) = World::new(test).await else {
        return;
    };
    let image = world.registry.manifest(&world.image.digest).await.unwrap();
    let subject = Descriptor::of(media::MANIFEST, &image);
    for size in [3, 4, 5, u64::MAX / 2] {
        let blob = world
            .registry
            .push_blob(media::SIGSTORE_BUNDLE, b"junk")
            .await;
        let layer = Descriptor {
            size,
            ..blob.unwrap()
        };
        let manifest = Manifest::referrer(media::SIGSTORE_BUNDLE, layer, subject.clone());
        world.registry.attach_referrer(manifest).await.unwrap();
    }
    let signer = world.signer("ours").await;
    world.publish(&signer).await;
    assert_eq!(world.layers(".att").await.len(), 2);
}
