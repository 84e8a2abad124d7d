//! Archives of `docker save`.

use std::path::Path;

use console::hint::Hinted;
use content::Digest;
use serde_json::json;
use verifier::place::Saved;

use crate::case::{FILES, stored};
use crate::store::{Store, open, published};

/// Packs the files of `dir` into an archive beside it and opens the archive.
fn open_packed(dir: &Path, rest: &str) -> Result<Saved, Hinted> {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("image.tar");
    let mut tar = std::process::Command::new("tar");
    tar.arg("-C").arg(dir).arg("-cf").arg(&path).arg(".");
    assert!(tar.status().unwrap().success());
    open(&format!("docker-archive:{}{rest}", path.display()))
}

/// Before version 25 there is no manifest, but an image of format v1 follows from its config and its layers.
#[test]
fn an_archive_without_manifests_has_the_image() {
    let stored = stored(&FILES);
    let dir = tempfile::tempdir().unwrap();
    let layers = ["one/layer.tar"];
    std::fs::create_dir(dir.path().join("one")).unwrap();
    let compressed = dir.path().join("one/layer.tar.gz");
    std::fs::write(&compressed, &stored.layer).unwrap();
    let mut gzip = std::process::Command::new("gzip");
    assert!(gzip.arg("-d").arg(compressed).status().unwrap().success());
    std::fs::write(dir.path().join("config.json"), &stored.config).unwrap();
    let list = json!([{"Config": "config.json", "RepoTags": ["a:v1"], "Layers": layers}]);
    std::fs::write(dir.path().join("manifest.json"), list.to_string()).unwrap();
    for rest in ["", ":a:v1"] {
        let saved = open_packed(dir.path(), rest).unwrap();
        assert_eq!(saved.image(), Digest::of(&stored.manifest));
        let published = published(&saved).unwrap();
        assert!(published.contents.is_some(), "{:?}", published.damage);
    }
    let error = open_packed(dir.path(), ":a:v2").err().unwrap().to_string();
    assert!(error.contains("no image is named \"a:v2\""), "{error}");
}

#[test]
fn an_archive_with_a_layout_is_read_as_one() {
    let store = Store::new();
    let dir = store.finish();
    std::fs::write(dir.join("manifest.json"), "[]").unwrap();
    let saved = open_packed(dir, "").unwrap();
    assert_eq!(saved.image(), store.image.digest);
}
