//! `verifier check image` and `verifier check layer`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test, its helpers included"
)]

mod command;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use command::check;
use oci::{AnyDigest, media};
use serde_json::{Value, json};
use tempfile::TempDir;

/// An archive with one file.
fn archive(name: &str) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_size(3);
    header.set_mode(0o644);
    header.set_cksum();
    let mut archive = tar::Builder::new(Vec::new());
    archive.append(&header, &b"abc"[..]).unwrap();
    archive.into_inner().unwrap()
}

#[test]
fn a_layer_is_accepted_or_refused() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    let inside = archive("a");
    write("inside", &inside);
    write("outside", &archive("../a"));
    write("truncated", &inside[..513]);
    write("zstd", &testkit::zstd(&inside));
    write("cut", &testkit::zstd(&inside)[..700]);
    write("window", b"\x28\xb5\x2f\xfd\0\xff\x01\0\0");
    let check = |words: &[&str]| check(folder.path(), words);
    assert_eq!(
        check(&["layer", "inside"]),
        (0, "accepted\n".to_owned(), String::new())
    );
    for name in ["inside", "zstd"] {
        let (status, out, _) = check(&["layer", "--json", name]);
        let json: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(status, 0);
        assert_eq!(json["diff_id"], content::Digest::of(&inside).to_string());
        assert_eq!(json["entries"][0]["name"], "a");
        assert_eq!(
            json["entries"][0]["digest"],
            content::Digest::of(b"abc").to_string()
        );
    }
    for (name, expected, reason) in [
        ("outside", 1, "entry \"../a\": path leaves the root"),
        ("truncated", 1, "unexpected end of file"),
        ("cut", 1, "unexpected end of file"),
        ("window", 1, "window of 4123168604160 bytes in zstd is over"),
        ("absent", 2, "reading absent: No such file"),
    ] {
        let (status, out, error) = check(&["layer", name]);
        assert_eq!((status, out.as_str()), (expected, ""), "{name}: {error}");
        assert!(error.contains(reason), "{name}: {error}");
    }
}

/// Other projects' archives, and those that would write outside the root.
#[test]
fn layer_vectors() {
    let Some(folder) = testkit::vectors("tar-layers") else {
        return;
    };
    let rows = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let mut count = 0;
    for line in (rows("cases.jsonl") + &rows("extract_cases.jsonl")).lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let file = case["path"].as_str().or(case["archive"].as_str()).unwrap();
        let status = check(&folder, &["layer", file]).0;
        match case["cls"].as_str() {
            Some("consensus" | "majority") => assert_eq!(status, 0, "{case}"),
            Some("divergent") => assert_ne!(status, 2, "{case}"),
            Some(_) | None => assert_eq!(status, 1, "{case}"),
        }
        count += 1;
    }
    println!("{count} archives");
}

/// The published examples and cases of the image specification, and Docker's originals of some.
#[test]
fn image_vectors() {
    let Some(folder) = testkit::vectors("oci-image-spec") else {
        return;
    };
    let rows = fs::read_to_string(folder.join("cases.jsonl")).unwrap();
    for line in rows.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let file = case["path"].as_str().unwrap();
        let (status, _, error) = check(&folder, &["image", file]);
        let expected = i32::from(case["expect"] != "valid");
        assert_eq!(status, expected, "{case}: {error}");
    }
    println!("{} documents", rows.lines().count());
}

/// The algorithm of the digests of a layout.
#[derive(Clone, Copy)]
enum Algorithm {
    Sha256,
    Sha512,
}

/// Writes a layout with an image of one layer.
fn layout(folder: &Path, algorithm: Algorithm) {
    layout_of(folder, algorithm, media::LAYER_TAR);
}

fn layout_of(folder: &Path, algorithm: Algorithm, layer_type: &str) {
    layout_in(folder, algorithm, layer_type, &archive("a"));
}

/// With this layer, which unpacks to the archive.
fn layout_in(folder: &Path, algorithm: Algorithm, layer_type: &str, layer: &[u8]) {
    let digest = |bytes: &[u8]| -> String {
        let like = match algorithm {
            Algorithm::Sha256 => format!("sha256:{}", "0".repeat(64)),
            Algorithm::Sha512 => format!("sha512:{}", "0".repeat(128)),
        };
        let mut hasher = like.parse::<AnyDigest>().unwrap().hasher().unwrap();
        hasher.write_all(bytes).unwrap();
        hasher.finish().to_string()
    };
    let blob = |kind: &str, bytes: &[u8]| {
        let digest = digest(bytes);
        let path = folder.join("blobs").join(digest.replace(':', "/"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        let media_type = format!("application/vnd.oci.image.{kind}");
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    };
    let mut layer = blob("layer.v1.tar", layer);
    layer["mediaType"] = layer_type.into();
    let rootfs = json!({"type": "layers", "diff_ids": [digest(&archive("a"))]});
    let config = json!({"architecture": "amd64", "os": "linux", "rootfs": rootfs});
    let config = blob("config.v1+json", config.to_string().as_bytes());
    let manifest = json!({"schemaVersion": 2, "config": config, "layers": [layer]});
    let manifest = blob("manifest.v1+json", manifest.to_string().as_bytes());
    let index = json!({"schemaVersion": 2, "manifests": [manifest]}).to_string();
    fs::write(folder.join("index.json"), index).unwrap();
    fs::write(
        folder.join("oci-layout"),
        r#"{"imageLayoutVersion":"1.0.0"}"#,
    )
    .unwrap();
}

/// The only blob that contains `text`.
fn blob_with(folder: &Path, text: &str) -> PathBuf {
    let folders = fs::read_dir(folder.join("blobs")).unwrap();
    let files = folders.flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap());
    let mut found = files.map(|file| file.unwrap().path()).filter(|path| {
        let bytes = fs::read(path).unwrap();
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    });
    found.next().unwrap()
}

#[test]
fn a_layout_is_verified_by_both_algorithms() {
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let folder = TempDir::new().unwrap();
        let path = folder.path();
        layout(path, algorithm);
        assert_eq!(check(path, &["image", "."]).0, 0);
        for text in ["abc", "rootfs", "layers\":["] {
            let blob = blob_with(path, text);
            let whole = fs::read(&blob).unwrap();
            let mut changed = whole.clone();
            *changed.last_mut().unwrap() ^= 1;
            fs::write(&blob, changed).unwrap();
            let (status, _, error) = check(path, &["image", "."]);
            assert_eq!(status, 1, "{error}");
            assert!(error.contains("differs from its descriptor"), "{error}");
            fs::remove_file(&blob).unwrap();
            let (status, _, error) = check(path, &["image", "."]);
            assert_eq!(status, 2, "{error}");
            assert!(error.contains("No such file"), "{error}");
            fs::write(&blob, whole).unwrap();
        }
        assert_eq!(check(path, &["image", "--json", "."]).0, 0);
    }
}

#[test]
fn a_layer_in_zstd_has_its_diff_id() {
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        for (content, expected) in [("a", 0), ("b", 1)] {
            let folder = TempDir::new().unwrap();
            let layer = testkit::zstd(&archive(content));
            layout_in(folder.path(), algorithm, media::LAYER_ZSTD, &layer);
            let (status, _, error) = check(folder.path(), &["image", "."]);
            assert_eq!(status, expected, "{error}");
            assert_eq!(error.contains("expected diff ID"), expected == 1, "{error}");
        }
    }
}

/// cosign 2 saves signatures as images whose layers are payloads.
#[test]
fn a_layer_of_a_signature_has_no_files() {
    for (media_type, expected) in [
        ("application/vnd.dev.cosign.simplesigning.v1+json", 0),
        ("application/vnd.dsse.envelope.v1+json", 0),
        ("application/vnd.oci.image.layer.v1.tar+bzip2", 2),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", 2),
    ] {
        let folder = TempDir::new().unwrap();
        let path = folder.path();
        layout_of(path, Algorithm::Sha256, media_type);
        let (status, _, error) = check(path, &["image", "."]);
        assert_eq!(status, expected, "{error}");
        let blob = blob_with(path, "abc");
        fs::write(&blob, b"other").unwrap();
        let (status, _, error) = check(path, &["image", "."]);
        assert_eq!(status, 1, "{media_type}: {error}");
    }
}

/// What a manifest of Docker names would not be checked.
#[test]
fn a_manifest_of_docker_is_not_judged() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    layout(path, Algorithm::Sha256);
    let index = fs::read_to_string(path.join("index.json")).unwrap();
    let oci = "application/vnd.oci.image.manifest.v1+json";
    let docker = "application/vnd.docker.distribution.manifest.v2+json";
    fs::write(path.join("index.json"), index.replace(oci, docker)).unwrap();
    let (status, _, error) = check(path, &["image", "."]);
    assert_eq!(status, 2, "{error}");
    assert!(error.contains("is not supported"), "{error}");
}

#[test]
fn the_diff_id_of_a_layer_is_compared() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    layout(path, Algorithm::Sha256);
    let config = blob_with(path, "rootfs");
    let text = fs::read_to_string(&config).unwrap();
    let own = content::Digest::of(&archive("a")).to_string();
    let other = text.replace(&own, &content::Digest::of(b"").to_string());
    let manifest = blob_with(path, "schemaVersion");
    let index = path.join("index.json");
    let mut parts = [(config, text, other)].to_vec();
    for holder in [manifest, index] {
        let (_, was, is) = parts.last().unwrap().clone();
        let text = fs::read_to_string(&holder).unwrap();
        let digest = |text: &str| content::Digest::of(text.as_bytes()).to_string();
        let changed = text.replace(&digest(&was), &digest(&is));
        assert_ne!(text, changed);
        parts.push((holder, text, changed));
    }
    for (file, _, changed) in parts {
        let is_blob = file.parent() != Some(path);
        let name = content::Digest::of(changed.as_bytes()).hex();
        let file = if is_blob {
            file.with_file_name(name)
        } else {
            file
        };
        fs::write(file, changed).unwrap();
    }
    let (status, _, error) = check(path, &["image", "."]);
    assert_eq!(status, 1, "{error}");
    assert!(error.contains("expected diff ID sha256:e3b0"), "{error}");
}
