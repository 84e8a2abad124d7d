//! `builder init` writes files that need no more than `builder lock` and `builder build` for a digest.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{builder, commit, git, said, write};

const SCRIPT: &str = "#!/bin/sh\necho hello\n";

/// A repository with a script, in which `builder init` was run.
fn started(folder: &Path) -> std::path::PathBuf {
    let repository = folder.join("one");
    write(&repository, "run", SCRIPT);
    let script = repository.join("run");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(script, mode).unwrap();
    git(&repository, &["init", "--quiet"]);
    let mut init = Command::new(env!("CARGO_BIN_EXE_builder"));
    init.arg("init")
        .current_dir(&repository)
        .stdin(Stdio::null());
    let init = init.output().unwrap();
    assert!(init.status.success(), "{}", said(&init));
    let printed = String::from_utf8(init.stdout.clone()).unwrap();
    assert_eq!(
        printed.lines().collect::<Vec<_>>(),
        FILES.map(|file| format!("./{file}"))
    );
    let todo = said(&init);
    for line in [
        "todo: Image.toml: runtime.packages: ",
        "todo: policies/release.toml: source.uri: ",
    ] {
        assert!(todo.contains(line), "{todo}");
    }
    repository
}

const FILES: [&str; 5] = [
    "Image.toml",
    "terms.json",
    "policies/release.toml",
    "policies/grant.toml",
    "cloudbuild.yaml",
];

/// Tests of the other programs read these files, too.
#[test]
fn what_it_writes_is_golden() {
    let folder = tempfile::tempdir().unwrap();
    let repository = started(folder.path());
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/init");
    for name in FILES {
        testkit::golden(
            &golden.join(name),
            &fs::read(repository.join(name)).unwrap(),
        );
    }
}

/// The script, as the image's only layer has it.
fn script(layout: &Path) -> String {
    let layout = oci::Layout::open(layout).unwrap();
    let image = layout.image().unwrap();
    let layer = &image.manifest().layers[0].digest;
    let mut text = String::new();
    oci::layer::read(layout.open_blob(layer).unwrap(), |member, content| {
        if member.path.as_str() == "app/run" {
            content.read_to_string(&mut text).unwrap();
        }
        Ok::<_, oci::Error>(())
    })
    .unwrap();
    text
}

#[test]
fn it_ends_in_a_digest() {
    let test = "it_ends_in_a_digest";
    let folder = tempfile::tempdir().unwrap();
    let repository = started(folder.path());
    let locked = builder("lock", &repository).output().unwrap();
    if !locked.status.success() {
        let reason = said(&locked);
        assert!(reason.contains("package archive"), "{reason}");
        return testkit::skip(test, format_args!("no inputs on this machine: {reason}"));
    }
    commit(&repository);
    let layout = folder.path().join("layout");
    let built = builder("build", &repository)
        .arg("-o")
        .arg(&layout)
        .output()
        .unwrap();
    if said(&built).contains("making sandbox: ") {
        return testkit::skip(test, format_args!("no namespaces: {}", said(&built)));
    }
    assert!(built.status.success(), "{}", said(&built));
    let digest = String::from_utf8(built.stdout).unwrap();
    assert!(digest.starts_with("sha256:"), "{digest}");
    assert_eq!(script(&layout), SCRIPT);
}
