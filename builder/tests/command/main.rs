//! Builds with any command: it sees a writable copy of its inputs and the packages of the build root, and nothing else.
#![allow(clippy::unwrap_used, reason = "a test panics and reports")]

mod images;
mod init;
mod linked;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const IMAGE: &str = r#"
[build]
kind = "command"
command = ["/bin/sh", "./make.sh"]
inputs = ["make.sh", "data"]
outputs = { app = "app" }

[build.env]
GREETING = "hello"
COMMIT = { source = "commit" }

[root]
suite = "bookworm"
packages = ["dash"]

[image]
entrypoint = ["/app"]

[[file]]
path = "/app"
binary = "app"
"#;

/// Only what the shell does itself: the root has no other program. The copy of the source can be written.
const SCRIPT: &str = "set -e
read -r name <data/name
echo changed >data/name
test ! -e secret
test ! -e /etc/passwd
echo \"$GREETING $name $COMMIT $TZ $SOURCE_DATE_EPOCH\" >app
";

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder);
    command.args(["-c", "user.name=a", "-c", "user.email=a@b"]);
    let output = command.args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        said(&output)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn builder(action: &str, directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_builder"));
    command.arg(action).arg(directory).stdin(Stdio::null());
    let store = Path::new(env!("CARGO_TARGET_TMPDIR")).join("store");
    command.arg("--store").arg(store);
    command
}

fn write(repository: &Path, path: &str, text: &str) {
    let path = repository.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A repository with its lock; `None` if this machine cannot make one, and then the test is skipped.
fn repository(folder: &Path, test: &str) -> Option<PathBuf> {
    let files = [
        ("Image.toml", IMAGE),
        ("make.sh", SCRIPT),
        ("data/name", "world\n"),
        ("secret", "not an input\n"),
    ];
    repository_of(folder, test, &files)
}

/// As [`repository`], with these files.
fn repository_of(folder: &Path, test: &str, files: &[(&str, &str)]) -> Option<PathBuf> {
    let repository = folder.join("one");
    for (path, text) in files {
        write(&repository, path, text);
    }
    git(&repository, &["init", "--quiet"]);
    let locked = builder("lock", &repository).output().unwrap();
    if !locked.status.success() {
        let reason = said(&locked);
        assert!(reason.contains("package archive"), "{reason}");
        testkit::skip(test, format_args!("no inputs on this machine: {reason}"));
        return None;
    }
    Some(repository)
}

fn commit(repository: &Path) {
    git(repository, &["add", "--all"]);
    git(repository, &["commit", "--quiet", "--message", "one"]);
}

/// The only file of the image's only layer.
fn file(layout: &Path) -> String {
    let layout = oci::Layout::open(layout).unwrap();
    let image = layout.image().unwrap();
    let layer = layout
        .open_blob(&image.manifest().layers[0].digest)
        .unwrap();
    let mut text = String::new();
    oci::layer::read(layer, |_, content| -> Result<(), oci::Error> {
        content.read_to_string(&mut text).unwrap();
        Ok(())
    })
    .unwrap();
    text
}

#[test]
fn a_command_makes_its_outputs_of_its_inputs() {
    let test = "a_command_makes_its_outputs_of_its_inputs";
    let folder = tempfile::tempdir().unwrap();
    let Some(repository) = repository(folder.path(), test) else {
        return;
    };
    commit(&repository);
    let layout = folder.path().join("layout");
    let mut digests = Vec::new();
    for zone in ["UTC", "Asia/Tokyo"] {
        let mut build = builder("build", &repository);
        build.arg("-o").arg(&layout).env("TZ", zone);
        let built = build.output().unwrap();
        if said(&built).contains("making sandbox: ") {
            return testkit::skip(test, format_args!("no namespaces: {}", said(&built)));
        }
        assert!(built.status.success(), "{}", said(&built));
        digests.push(String::from_utf8(built.stdout).unwrap());
    }
    assert_eq!(digests[0], digests[1]);
    let commit = git(&repository, &["rev-parse", "HEAD"]);
    assert_eq!(file(&layout), format!("hello world {commit} UTC 0\n"));

    write(&repository, "make.sh", "exit 3\n");
    self::commit(&repository);
    let refused = builder("build", &repository)
        .arg("-o")
        .arg(&layout)
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let reason = said(&refused);
    assert!(
        reason.contains("compiling /bin/sh ./make.sh: the command exited with status 3"),
        "{reason}"
    );

    git(&repository, &["rm", "--quiet", "-r", "data"]);
    self::commit(&repository);
    let missing = builder("build", &repository)
        .arg("-o")
        .arg(&layout)
        .output()
        .unwrap();
    let reason = said(&missing);
    assert!(
        reason.contains("the commit has no file or folder data, which Image.toml names"),
        "{reason}"
    );
}
