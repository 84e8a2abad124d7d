//! Images by other builders: Docker's media types, indexes, tags.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a test panics and reports")]

mod loopback;
mod probe;

use oci::{ImageRef, media};
use probe::{Scene, open_image, said};
use serde_json::{Value, json};

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// The image as Docker pushes it.
fn docker(scene: &Scene, image: &str) -> String {
    let mut manifest = scene.manifest(image);
    manifest["mediaType"] = DOCKER_MANIFEST.into();
    manifest["config"]["mediaType"] = "application/vnd.docker.container.image.v1+json".into();
    let layer = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    manifest["layers"][0]["mediaType"] = layer.into();
    scene.put(None, &manifest, DOCKER_MANIFEST)
}

fn index(scene: &Scene, media_type: &str, images: &[(&str, Value)]) -> Value {
    let entry = |(image, platform): &(&str, Value)| {
        let image: ImageRef = image.parse().unwrap();
        let manifest = scene.manifest(&image.to_string());
        json!({
            "mediaType": manifest["mediaType"].as_str().unwrap_or(media::MANIFEST),
            "digest": image.digest.to_string(),
            "size": scene.size(&image),
            "platform": platform,
        })
    };
    let manifests: Vec<_> = images.iter().map(entry).collect();
    json!({"schemaVersion": 2, "mediaType": media_type, "manifests": manifests})
}

/// Launches `reference`, and checks what is measured.
fn launches(scene: &Scene, reference: &str, digest: &str, id: &Value) {
    for mut launcher in [
        scene.launcher(reference),
        scene.rootless_launcher(reference),
    ] {
        said(&launcher.output().unwrap(), 0);
        let measured = scene.measured();
        assert_eq!(measured.image_reference, reference);
        assert!(digest.ends_with(&measured.image_digest.to_string()));
        assert_eq!(json!(measured.image_id.to_string()), *id);
    }
}

#[test]
fn images_of_docker_and_indexes_by_digest_and_by_tag() {
    let Some(scene) = Scene::set() else { return };
    let oci = scene.push(open_image(), vec![]);
    let id = &scene.manifest(&oci)["config"]["digest"];
    let docker = docker(&scene, &oci);
    assert_ne!(oci, docker);
    launches(&scene, &docker, &docker, id);
    let zstd = scene.in_zstd(&oci);
    launches(&scene, &zstd, &zstd, id);
    let amd64 = || json!({"os": "linux", "architecture": "amd64"});
    let arm64 = || json!({"os": "linux", "architecture": "arm64", "variant": "v8"});
    let other = scene.push_as(&["linux", "arm64", media::LAYER_GZIP], open_image(), vec![]);
    for (media_type, image) in [(media::INDEX, &oci), (DOCKER_LIST, &docker)] {
        let index = index(&scene, media_type, &[(&other, arm64()), (image, amd64())]);
        let by_digest = scene.put(Some("many"), &index, media_type);
        launches(&scene, &by_digest, &by_digest, id);
        let by_tag = format!("{}:many", scene.repository());
        launches(&scene, &by_tag, &by_digest, id);
    }
    let none = index(&scene, media::INDEX, &[(&other, arm64())]);
    let none = scene.put(None, &none, media::INDEX);
    let output = scene.launcher(&none).output().unwrap();
    said(&output, 2);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("no manifest for linux/amd64"), "{stderr}");
    let missing = format!("{}:missing", scene.repository());
    let output = scene.launcher(&missing).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("no such tag"), "{stderr}");
}

/// The launcher looks for signatures on the reference that it was given, which is the index.
#[test]
fn signatures_are_on_the_digest_in_the_reference() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    let platform = json!({"os": "linux", "architecture": "amd64"});
    let index = index(&scene, media::INDEX, &[(&image, platform)]);
    let index = scene.put(None, &index, media::INDEX);
    scene.sign(&image, b"of the image", "signature");
    let found = || {
        said(&scene.launcher(&index).output().unwrap(), 0);
        let asked = scene.asked.lock().unwrap();
        let entities = &asked.last().unwrap()["signedEntities"][0];
        entities["containerImageSignatures"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(found(), 0);
    scene.sign(&index, b"of the index", "signature");
    assert_eq!(found(), 1);
}

#[test]
fn nested_indexes_have_a_limit() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    let platform = || json!({"os": "linux", "architecture": "amd64"});
    let mut top = image;
    let mut nested = Vec::new();
    for _ in 0..6 {
        let index = index(&scene, media::INDEX, &[(&top, platform())]);
        top = scene.put(None, &index, media::INDEX);
        nested.push(top.clone());
    }
    said(&scene.launcher(&nested[1]).output().unwrap(), 0);
    let output = scene.launcher(&nested[5]).output().unwrap();
    said(&output, 2);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("nested indexes"), "{stderr}");
    let digest = nested[5].split_once('@').unwrap().1;
    assert!(stderr.contains(digest), "{stderr}");
}
