//! What strangers have hung on an image keeps nobody from publishing.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test, its helpers included"
)]

mod world;

use oci::{Descriptor, Manifest, media};
use world::World;

/// Pieces that are not what their descriptors say, and one that is no bundle.
#[tokio::test]
async fn what_others_hung_there_need_not_be_readable() {
    let test = "what_others_hung_there_need_not_be_readable";
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
