//! Programs in Go: modules from a proxy that the test makes, the toolchain from the user's proxy. The same commit and lock give the
//! same bytes.
#![allow(clippy::unwrap_used, reason = "a test panics and reports")]

mod proxy;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use proxy::Proxy;

const IMAGE: &str = r#"
[build]
kind = "go"
go = "1.26.0"
package = "./cmd/hello"
ldflags = ["-s -w"]

[build.stamps]
"main.commit" = { source = "commit" }

[image]
entrypoint = ["/hello"]

[[file]]
path = "/hello"
binary = "hello"
"#;

const MAIN: &str = r#"package main

import (
	"os"

	"example.org/greet"
	"example.org/local"
)

var commit = "none"

func main() {
	os.Stdout.WriteString(greet.Text + " " + local.Text + " " + commit + "\n")
}
"#;

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(folder)
        .args(["-c", "user.name=a", "-c", "user.email=a@b"]);
    let output = command.args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        said(&output)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A repository with a program, which uses a module of the proxy and one of the repository.
struct Place {
    folder: tempfile::TempDir,
    proxy: Proxy,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let proxy = Proxy::new(&folder.path().join("proxy"));
        let sums = proxy.publish(
            "example.org/greet",
            "v1.0.0",
            "package greet\n\nconst Text = \"hello\"\n",
        );
        let place = Self { folder, proxy };
        for (path, text) in [
            ("Image.toml", IMAGE),
            (
                "go.mod",
                "module example.org/app\n\ngo 1.21\n\nrequire (\n\texample.org/greet v1.0.0\n\texample.org/local v0.0.0\n)\n\n\
                 replace example.org/local => ./local\n",
            ),
            ("go.sum", &sums),
            ("cmd/hello/main.go", MAIN),
            ("local/go.mod", "module example.org/local\n\ngo 1.21\n"),
            (
                "local/local.go",
                "package local\n\nconst Text = \"world\"\n",
            ),
            ("local/c.go", "package local\n\nimport \"C\"\n"),
        ] {
            place.write(path, text);
        }
        git(&place.repository(), &["init", "--quiet"]);
        place
    }

    fn repository(&self) -> PathBuf {
        self.folder.path().join("one")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.repository().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn commit(&self) {
        git(&self.repository(), &["add", "--all"]);
        git(
            &self.repository(),
            &["commit", "--quiet", "--message", "one"],
        );
    }

    /// The builder, with the proxy of the test before that of the user.
    fn builder(&self, action: &str, directory: &Path) -> Command {
        let users = Command::new("go")
            .args(["env", "GOPROXY"])
            .current_dir("/")
            .output();
        let users = users.map(|output| String::from_utf8(output.stdout).unwrap());
        let users = std::env::var("GOPROXY").or(users).unwrap_or_default();
        let mut command = Command::new(env!("CARGO_BIN_EXE_builder"));
        command.arg(action).arg(directory).stdin(Stdio::null());
        command
            .arg("--store")
            .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("store"));
        command.env(
            "GOPROXY",
            format!("{},{}", self.proxy.address(), users.trim()),
        );
        command
    }

    /// Locks; false if this machine cannot, and then the test is skipped.
    fn lock(&self, test: &str) -> bool {
        let locked = self.builder("lock", &self.repository()).output().unwrap();
        let reason = said(&locked);
        if locked.status.success() {
            return true;
        }
        let reasons = [
            "package archive",
            "toolchain of Go",
            "module proxy",
            "fetching http",
        ];
        assert!(reasons.iter().any(|why| reason.contains(why)), "{reason}");
        testkit::skip(test, format_args!("no inputs on this machine: {reason}"));
        false
    }

    fn build(&self, directory: &Path, layout: &Path) -> Command {
        let mut command = self.builder("build", directory);
        command
            .arg("-o")
            .arg(layout)
            .args(["--source-uri", "git+https://source.example/app"]);
        command
    }
}

fn is_impossible(output: &Output, test: &str) -> bool {
    let impossible = said(output).contains("making sandbox: ");
    if impossible {
        testkit::skip(
            test,
            format_args!("no namespaces on this machine: {}", said(output)),
        );
    }
    impossible
}

/// The only file of the image's only layer.
fn program(layout: &Path) -> Vec<u8> {
    let layout = oci::Layout::open(layout).unwrap();
    let image = layout.image().unwrap();
    let layer = layout
        .open_blob(&image.manifest().layers[0].digest)
        .unwrap();
    let mut program = Vec::new();
    oci::layer::read(layer, |_, content| -> Result<(), oci::Error> {
        content.read_to_end(&mut program).unwrap();
        Ok(())
    })
    .unwrap();
    program
}

#[test]
fn a_program_has_one_digest_and_names_its_modules() {
    let test = "a_program_has_one_digest_and_names_its_modules";
    let place = Place::new();
    if !place.lock(test) {
        return;
    }
    place.commit();
    let first = place.folder.path().join("first");
    let one = place.build(&place.repository(), &first).output().unwrap();
    if is_impossible(&one, test) {
        return;
    }
    assert!(one.status.success(), "{}", said(&one));
    let note = "compiled without their parts in C: example.org/local\n";
    assert!(said(&one).contains(note), "{}", said(&one));

    let elsewhere = place.folder.path().join("another place");
    git(
        place.folder.path(),
        &["clone", "--quiet", "one", elsewhere.to_str().unwrap()],
    );
    let second = place.folder.path().join("second");
    let mut other = place.build(&elsewhere, &second);
    other
        .args(["--jobs", "1"])
        .env("TZ", "Asia/Tokyo")
        .env("GOFLAGS", "-race")
        .env("GOAMD64", "v3");
    let two = other.output().unwrap();
    assert!(two.status.success(), "{}", said(&two));
    assert_eq!(
        String::from_utf8_lossy(&one.stdout),
        String::from_utf8_lossy(&two.stdout)
    );

    let program = program(&first);
    let path = place.folder.path().join("program");
    fs::write(&path, &program).unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let commit = git(&place.repository(), &["rev-parse", "HEAD"]);
    let printed = Command::new(&path).env_clear().output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&printed.stdout),
        format!("hello world {commit}\n")
    );

    let bill = attest::Sbom::parse(&fs::read(first.join("sbom.cdx.json")).unwrap()).unwrap();
    let modules: Vec<_> = bill
        .of_type(attest::sbom::MODULE)
        .map(|one| one.purl.clone())
        .collect();
    let expected = [
        format!("pkg:golang/example.org/app@{commit}?download_url=file:%2F%2F"),
        "pkg:golang/example.org/greet@v1.0.0".to_owned(),
        format!("pkg:golang/example.org/local@{commit}?download_url=file:%2F%2Flocal"),
        "pkg:golang/stdlib@1.26.0".to_owned(),
    ];
    assert_eq!(modules, expected);
    let provenance =
        attest::Provenance::parse(&fs::read(first.join("provenance.json")).unwrap()).unwrap();
    let inputs = provenance.build_definition.resolved_dependencies;
    for purl in [
        "pkg:golang/example.org/greet@v1.0.0",
        "pkg:golang/example.org/greet@v1.0.0#go.mod",
    ] {
        let input = inputs
            .iter()
            .find(|input| input.uri.as_deref() == Some(purl))
            .unwrap();
        assert!(input.digest.contains_key("dirHash") && input.digest.contains_key("sha256"));
    }
}

#[test]
fn a_module_with_another_hash_is_refused() {
    let place = Place::new();
    let sums = fs::read_to_string(place.repository().join("go.sum")).unwrap();
    place.proxy.publish(
        "example.org/greet",
        "v1.0.0",
        "package greet\n\nconst Text = \"evil\"\n",
    );
    place.write("go.sum", &sums);
    let refused = place.builder("lock", &place.repository()).output().unwrap();
    let reason = said(&refused);
    if reason.contains("package archive") {
        return testkit::skip("a_module_with_another_hash_is_refused", reason);
    }
    assert!(
        reason.contains("checking module example.org/greet@v1.0.0: expected h1:"),
        "{reason}"
    );
    assert_eq!(refused.status.code(), Some(1), "{reason}");
}

#[test]
fn what_cannot_be_built_is_said_at_lock() {
    let place = Place::new();
    for (file, text, said_so) in [
        (
            "go.mod",
            "module example.org/app\n\ngo 1.28\n",
            "go.mod needs go 1.28, and Image.toml names 1.26.0",
        ),
        (
            "go.mod",
            "module example.org/app\n\nreplace a => ../a\n",
            "go.mod names \"../a\", which is outside the repository",
        ),
        (
            "go.sum",
            "example.org/greet v1.0.0 h1:x\n",
            "parsing go.sum: line 1: expected h1: and 32 bytes in base64",
        ),
    ] {
        let before = fs::read_to_string(place.repository().join(file)).unwrap();
        place.write(file, text);
        let refused = place.builder("lock", &place.repository()).output().unwrap();
        let reason = said(&refused);
        assert!(reason.contains(said_so), "{reason}");
        place.write(file, &before);
    }
}

/// The only unpacked folder of a store that a build with Go used is the toolchain.
fn keeps_what_the_lock_names(store: &Path) {
    let unpacked = || {
        let entries = fs::read_dir(store.join("vendored")).unwrap();
        let folders = entries.map(|entry| entry.unwrap().path());
        folders.filter(|path| path.is_dir()).collect::<Vec<_>>()
    };
    let before = unpacked();
    assert_eq!(before.len(), 1, "{before:?}");
    let mut prune = Command::new(env!("CARGO_BIN_EXE_builder"));
    prune.args(["store", "prune", "--unused", "--store"]);
    let pruned = prune.arg(store).output().unwrap();
    assert!(pruned.status.success(), "{}", said(&pruned));
    assert_eq!(unpacked(), before);
}

/// A build from a capsule has the same digest, without go and without a proxy.
#[test]
fn a_capsule_has_modules_and_toolchain() {
    let test = "a_capsule_has_modules_and_toolchain";
    let place = Place::new();
    if !place.lock(test) {
        return;
    }
    place.commit();
    let at = |name: &str| place.folder.path().join(name);
    let one = place
        .build(&place.repository(), &at("first"))
        .output()
        .unwrap();
    if is_impossible(&one, test) {
        return;
    }
    assert!(one.status.success(), "{}", said(&one));
    let mut pack = place.builder("capsule", &place.repository());
    let packed = pack.arg("-o").arg(at("inputs.capsule")).output().unwrap();
    assert!(packed.status.success(), "{}", said(&packed));
    let poorly = |layout: &str, store: &str| {
        let mut build = Command::new(env!("CARGO_BIN_EXE_builder"));
        build
            .env_clear()
            .env("HOME", at("home"))
            .env("GOPROXY", "off");
        build
            .env("PATH", "/usr/bin:/bin")
            .env("HTTPS_PROXY", "http://127.0.0.1:9");
        build
            .arg("build")
            .arg(place.repository())
            .arg("-o")
            .arg(at(layout));
        build.args(["--source-uri", "git+https://source.example/app"]);
        build.arg("--capsule").arg(at("inputs.capsule"));
        build.arg("--store").arg(at(store)).output().unwrap()
    };
    let two = poorly("second", "store");
    assert!(two.status.success(), "{}", said(&two));
    assert_eq!(one.stdout, two.stdout);
    let checks = fs::read_to_string(at("second/checks.json")).unwrap();
    assert!(checks.contains("built from the capsule"), "{checks}");
    keeps_what_the_lock_names(&at("store"));

    // The content of the module, which is in the archive as it is.
    let mut bytes = fs::read(at("inputs.capsule")).unwrap();
    let text = b"const Text = \"hello\"";
    let found = bytes.windows(text.len()).position(|part| part == text);
    bytes[found.unwrap()] = b'C';
    fs::write(at("inputs.capsule"), bytes).unwrap();
    let refused = poorly("third", "other");
    let reason = "checking module example.org/greet v1.0.0: ";
    assert!(said(&refused).contains(reason), "{}", said(&refused));
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
}
