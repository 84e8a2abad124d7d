//! `verifier rebuild` of an image in a layout, and options of a rebuild without a source.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod case;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use content::Digest;
use oci::{Descriptor, Index, media};
use serde_json::Value;
use tempfile::TempDir;

fn verifier(folder: &Path, words: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_verifier"));
    let output = command.args(words).current_dir(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let status = output.status.code().unwrap();
    (status, text(output.stdout), text(output.stderr))
}

/// The layout `saved` with an image. Returns the image's digest.
fn save(folder: &Path) -> Digest {
    let stored = case::stored(&case::FILES);
    let layout = folder.join("saved");
    let blobs = layout.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    for bytes in [&stored.manifest, &stored.config, &stored.layer] {
        fs::write(blobs.join(Digest::of(bytes).hex()), bytes).unwrap();
    }
    fs::write(
        layout.join("oci-layout"),
        r#"{"imageLayoutVersion":"1.0.0"}"#,
    )
    .unwrap();
    let index = Index::new(vec![Descriptor::of(media::MANIFEST, &stored.manifest)]);
    fs::write(layout.join("index.json"), index.to_bytes().unwrap()).unwrap();
    Digest::of(&stored.manifest)
}

/// The repository `source` with a commit.
fn commit(folder: &Path) {
    let git = |words: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@b"])
            .args(words);
        assert!(git.current_dir(folder).status().unwrap().success());
    };
    git(&["init", "--quiet", "source"]);
    git(&[
        "-C",
        "source",
        "commit",
        "--quiet",
        "--allow-empty",
        "-m",
        "empty",
    ]);
}

#[test]
fn an_image_in_a_layout_is_rebuilt() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let digest = save(folder);
    commit(folder);
    let builder = folder.join("builder");
    fs::write(
        &builder,
        "#!/bin/sh\necho 'error: no such source' >&2\nexit 1\n",
    )
    .unwrap();
    fs::set_permissions(&builder, fs::Permissions::from_mode(0o755)).unwrap();
    let words = [
        "rebuild",
        "oci:saved",
        "--source",
        "source",
        "--directory",
        ".",
        "-o",
        "out",
        "--json",
    ];
    let words = [&words[..], &["--builder", builder.to_str().unwrap()]].concat();
    let (status, out, error) = verifier(folder, &words);
    assert_eq!(status, 1, "{error}");
    let receipt: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(receipt["image"], format!("saved.invalid/image@{digest}"));
    assert_eq!(receipt["rebuilt"]["refused"], "error: no such source");
}

#[test]
fn options_of_a_rebuild_need_a_source() {
    let folder = TempDir::new().unwrap();
    let commit = "0".repeat(40);
    for option in [
        ["--commit", commit.as_str()],
        ["--store", "s"],
        ["--jobs", "1"],
        ["--time-limit", "1"],
        ["--builder", "b"],
        ["--limit-memory", "1"],
        ["--limit-source", "1"],
    ] {
        let words = [&["verify", "oci:saved", "--policy", "p"][..], &option].concat();
        let (status, _, error) = verifier(folder.path(), &words);
        assert_eq!(status, 2, "{error}");
        assert!(error.contains("--source"), "{option:?}: {error}");
    }
}
