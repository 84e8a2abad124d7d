//! If the emulator cannot serve or launch, it prints one sentence and a hint, exits with status 2, and
//! leaves no files.
#![allow(clippy::unwrap_used, reason = "a test panics and says what it skips")]

#[path = "../../builder/tests/failure/mod.rs"]
mod failure;
mod loopback;
mod probe;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use failure::{after, fails, fails_with_few_files};
use probe::{Scene, open_image};

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn state_that_is_not_a_folder() {
    let temporary = tempfile::tempdir().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut serve = Command::new(env!("CARGO_BIN_EXE_emulator"));
    serve
        .args(["serve", "--project", "operator", "--state"])
        .arg(file.path());
    serve.env("TMPDIR", temporary.path());
    let said = fails("emulator", serve);
    assert!(said.contains(&file.path().display().to_string()), "{said}");
    assert!(is_empty(temporary.path()));
}

#[test]
fn state_of_another_emulator() {
    let state = tempfile::tempdir().unwrap();
    let emulator = env!("CARGO_BIN_EXE_emulator");
    let serve = |mut command: Command| {
        command.args(["serve", "--state"]).arg(state.path());
        command
    };
    let mut first = serve(Command::new(emulator));
    let mut first = first.stdout(Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    let stdout = first.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut ready).unwrap();
    // If it does not refuse, it serves until it is stopped.
    let mut bounded = Command::new("timeout");
    bounded.args(["60", emulator]);
    let said = fails("emulator", serve(bounded));
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(said.contains("another emulator"), "{said}");
    assert!(ready.contains("attestation"), "{ready}");
}

#[test]
fn nothing_to_launch() {
    let temporary = tempfile::tempdir().unwrap();
    let nowhere = format!("127.0.0.1:9/a/b@sha256:{}", "0".repeat(64));
    let launch = |more: &[&str]| {
        let mut launch = Command::new(env!("CARGO_BIN_EXE_emulator"));
        launch.args(["launch", &nowhere, "--project", "operator"]);
        launch
            .args(["--attestation", "http://127.0.0.1:9"])
            .args(more);
        launch.env("TMPDIR", temporary.path());
        fails("emulator", launch)
    };
    let said = launch(&["--plain-http"]);
    assert!(said.contains("pulling image"), "{said}");
    assert!(
        said.contains("hint: check that the registry is running"),
        "{said}"
    );
    let said = launch(&["--ca", "missing.pem"]);
    assert!(said.contains("missing.pem"), "{said}");
    let said = launch(&["--plain-http", "--runtime", "/dev/null/socket"]);
    assert!(said.contains("/dev/null/socket"), "{said}");
    assert!(is_empty(temporary.path()));
}

#[test]
fn an_image_for_another_machine() {
    use oci::media::{LAYER_GZIP, LAYER_TAR, LAYER_ZSTD};
    let Some(scene) = Scene::set() else { return };
    for (said, expected) in [
        (["linux", "arm64", LAYER_GZIP], "linux/arm64"),
        (["windows", "amd64", LAYER_GZIP], "windows/amd64"),
        (["linux", "amd64", LAYER_TAR], "its content is not"),
        (["linux", "amd64", LAYER_ZSTD], "its content is not"),
        (
            [
                "linux",
                "amd64",
                "application/vnd.oci.image.layer.v1.tar+bzip2",
            ],
            "tar+bzip2",
        ),
    ] {
        let image = scene.push_as(&said, open_image(), vec![]);
        let said = fails("emulator", scene.launcher(&image));
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn credentials_that_cannot_be_read() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.json"), "{").unwrap();
    let mut launch = scene.launcher(&image);
    launch.env("DOCKER_CONFIG", folder.path());
    let said = fails("emulator", launch);
    assert!(said.contains("config.json"), "{said}");
    assert!(said.contains("hint: correct"), "{said}");
}

#[test]
fn no_attestation_service() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    let mut launch = Command::new(env!("CARGO_BIN_EXE_emulator"));
    launch.args(["launch", &image, "--plain-http", "--project", "operator"]);
    launch.args(["--attestation", "http://127.0.0.1:9"]);
    let temporary = tempfile::tempdir().unwrap();
    launch.env("TMPDIR", temporary.path());
    let said = fails("emulator", launch);
    assert!(said.contains("fetching default token"), "{said}");
    assert!(said.contains("Connection refused"), "{said}");
    assert!(is_empty(temporary.path()));
}

/// Namespaces are forbidden, to root in a user namespace and to a user without privileges.
#[test]
fn namespaces_forbidden() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    let forbid = "echo 0 >/proc/sys/user/max_user_namespaces";
    let plain = format!("{forbid} && exec setpriv --bounding-set=-all --inh-caps=-all -- \"$@\"");
    let launch = scene.launcher(&image);
    for forbid in [forbid, &plain] {
        let Some(launch) = after(forbid, &launch, "namespaces_forbidden") else {
            return;
        };
        let said = fails("emulator", launch);
        assert!(said.contains("making namespaces: "), "{said}");
        assert!(!said.contains("No space left"), "{said}");
    }
}

#[test]
fn full_disk() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    let folder = tempfile::tempdir().unwrap();
    let fill = format!(
        "mount -t tmpfs -o size=64k none {}",
        folder.path().display()
    );
    let launch = scene.launcher(&image);
    let Some(mut launch) = after(&fill, &launch, "full_disk") else {
        return;
    };
    launch.env("TMPDIR", folder.path());
    let said = fails("emulator", launch);
    assert!(said.contains("layer: the disk is full"), "{said}");
    assert!(said.contains("hint: the disk is full"), "{said}");
}

#[test]
fn few_open_files() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut serve = Command::new(env!("CARGO_BIN_EXE_emulator"));
    serve.args(["serve", "--state"]).arg(file.path());
    fails_with_few_files("emulator", &serve);
}
