//! An image whose layers have other compressions than those that `builder` makes.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::Cursor;

use oci::layer::{self, Content, Entry, Executable, Kind};
use oci::{Descriptor, Image, Manifest, media};
use serde_json::json;
use verifier::contents::{Contents, ContentsError};

/// An image of one layer, and its archive.
fn image(media_type: &str, compress: fn(&[u8]) -> Vec<u8>) -> (Image, Vec<u8>) {
    let file = Entry {
        path: "bin/workload".parse().unwrap(),
        kind: Kind::File {
            content: Content::Bytes(b"code".repeat(100_000)),
            executable: Executable::Yes,
        },
    };
    let (mut gzip, mut archive) = (Vec::new(), Vec::new());
    let written = layer::write([file], &mut gzip).unwrap();
    oci::archive::decompress(&gzip[..], &mut |part| archive.extend(part)).unwrap();
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": ["/bin/workload"]},
        "rootfs": {"type": "layers", "diff_ids": [written.diff_id]},
    });
    let config = config.to_string().into_bytes();
    let blob = compress(&archive);
    let layer = Descriptor::of(media_type, &blob);
    let manifest = Manifest::new(Descriptor::of(media::CONFIG, &config), vec![layer]);
    let image = Image::parse(manifest.to_bytes().unwrap(), config).unwrap();
    (image, blob)
}

fn read(image: &Image, blob: &[u8]) -> Result<Contents, ContentsError> {
    let blob = blob.to_vec();
    Contents::read(image.clone(), &|_| Ok(Box::new(Cursor::new(blob.clone()))))
}

#[test]
fn a_layer_in_zstd_has_the_same_files() {
    let (plain, archive) = image(media::LAYER_TAR, <[u8]>::to_vec);
    let (zstd, blob) = image(media::LAYER_ZSTD, testkit::zstd);
    let expected = read(&plain, &archive).unwrap();
    assert_eq!(expected.flatten().len(), 2);
    assert_eq!(read(&zstd, &blob).unwrap().flatten(), expected.flatten());
    for size in [5, blob.len() / 2, blob.len() - 1] {
        let outcome = read(&zstd, &blob[..size]);
        assert!(
            matches!(outcome, Err(ContentsError::Damage(_))),
            "{size}: {outcome:?}"
        );
    }
}

/// The archive in the layer is another, however it is compressed.
#[test]
fn the_diff_id_of_a_layer_in_zstd_is_compared() {
    let (image, blob) = image(media::LAYER_ZSTD, |archive| {
        testkit::zstd(&[archive, &[0; 512]].concat())
    });
    let outcome = read(&image, &blob);
    assert!(
        matches!(outcome, Err(ContentsError::Damage(_))),
        "{outcome:?}"
    );
}
