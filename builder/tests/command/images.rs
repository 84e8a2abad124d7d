//! Several images of one file: each is the image that a file of its own describes.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use attest::Provenance;
use attest::provenance::IMAGE;

use crate::{builder, commit, git, said, write};

/// What both images share.
const SHARED: &str = r#"
[build]
kind = "command"

[[file]]
path = "/etc/motd"
content = "both"
"#;

/// The images, as they are beside each other.
const SEVERAL: &str = r#"
[[image]]
name = "server"
entrypoint = ["/program"]
user = "app"

[[image.users]]
name = "app"
uid = 1000

[[image.file]]
path = "/program"
source = "server"

[[image]]
name = "worker"
entrypoint = ["/program"]
labels = { role = "worker" }

[[image.file]]
path = "/program"
source = "worker"
"#;

/// Each of them alone.
const ALONE: [(&str, &str); 2] = [
    (
        "server",
        r#"
[image]
entrypoint = ["/program"]
user = "app"
[[user]]
name = "app"
uid = 1000
[[file]]
path = "/program"
source = "server"
"#,
    ),
    (
        "worker",
        r#"
[image]
entrypoint = ["/program"]
labels = { role = "worker" }
[[file]]
path = "/program"
source = "worker"
"#,
    ),
];

/// Both programs by one command, and a package in one image.
const COMPILED: &str = r#"
[build]
kind = "command"
command = ["/bin/sh", "./make.sh"]
inputs = ["make.sh"]
outputs = { server = "one", worker = "two" }

[root]
suite = "bookworm"
packages = ["dash"]

[[image]]
name = "server"
entrypoint = ["/program"]
[[image.file]]
path = "/program"
binary = "server"

[[image]]
name = "worker"
entrypoint = ["/program"]
[image.runtime]
packages = ["dash"]
[[image.file]]
path = "/program"
binary = "worker"
"#;

fn repository(folder: &Path) -> std::path::PathBuf {
    let repository = folder.join("one");
    for name in ["server", "worker"] {
        write(&repository, name, name);
    }
    write(
        &repository,
        "make.sh",
        "echo server >one\necho worker >two\n",
    );
    git(&repository, &["init", "--quiet"]);
    repository
}

/// Writes and locks an `Image.toml`. The error is why this machine cannot.
fn lock(repository: &Path, text: &str) -> Result<(), String> {
    write(repository, "Image.toml", text);
    let locked = builder("lock", repository).output().unwrap();
    match locked.status.success() {
        true => {
            commit(repository);
            Ok(())
        }
        false => Err(said(&locked)),
    }
}

fn build(repository: &Path, output: &Path, words: &[&str]) -> Output {
    let mut build = builder("build", repository);
    build.args(["--source-uri", "git+https://source.example/app"]);
    build.arg("-o").arg(output).args(words).output().unwrap()
}

/// What a build that must succeed prints.
#[track_caller]
fn printed(built: Output) -> String {
    assert!(built.status.success(), "{}", said(&built));
    String::from_utf8(built.stdout).unwrap()
}

/// Why a command gives no answer.
#[track_caller]
fn unanswered(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{}", said(output));
    said(output)
}

fn provenance(layout: &Path) -> Vec<u8> {
    fs::read(layout.join("provenance.json")).unwrap()
}

/// The name of the image in provenance.
fn named(layout: &Path) -> Option<String> {
    let provenance = Provenance::parse(&provenance(layout)).unwrap();
    let parameters = provenance.build_definition.external_parameters;
    Some(parameters.get(IMAGE)?.as_str().unwrap().to_owned())
}

fn digest(layout: &Path) -> String {
    let image = oci::Layout::open(layout).unwrap().image().unwrap();
    image.image_digest().to_string()
}

#[test]
fn each_image_is_that_of_a_file_of_its_own() {
    let test = "each_image_is_that_of_a_file_of_its_own";
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let repository = repository(folder.path());
    lock(&repository, &format!("{SHARED}{SEVERAL}")).unwrap();
    let built = build(&repository, &at("out"), &[]);
    if said(&built).contains("making sandbox: ") {
        return testkit::skip(test, format_args!("no namespaces: {}", said(&built)));
    }
    let table = printed(built);
    let layouts = ["server", "worker"].map(|name| at("out").join(name));
    let [server, worker] = layouts.each_ref().map(|layout| digest(layout));
    assert_eq!(table, format!("server  {server}\nworker  {worker}\n"));
    assert_ne!(server, worker);
    assert_eq!(printed(build(&repository, &at("out"), &[])), table);
    refuses_what_is_ambiguous(&repository, &at("out"));
    for (name, layout) in ["server", "worker"].into_iter().zip(&layouts) {
        let alone = build(&repository, &at(name), &["--image", name]);
        assert_eq!(printed(alone), format!("{}\n", digest(layout)));
        assert_eq!(named(&at(name)).as_deref(), Some(name));
        assert_eq!(provenance(&at(name)), provenance(layout));
    }
    for ((name, image), layout) in ALONE.into_iter().zip(&layouts) {
        lock(&repository, &format!("{SHARED}{image}")).unwrap();
        let alone = build(&repository, &at(name), &[]);
        assert_eq!(printed(alone), format!("{}\n", digest(layout)), "{name}");
        assert_eq!(named(&at(name)), None);
        let reason = unanswered(&build(&repository, &at(name), &["--image", name]));
        let without =
            format!("choosing image {name}: Image.toml describes one image, which has no name");
        assert!(reason.contains(&without), "{reason}");
    }
}

fn refuses_what_is_ambiguous(repository: &Path, out: &Path) {
    let reason = unanswered(&build(repository, out, &["--image", "serve"]));
    let known = "choosing image serve: Image.toml has no image of this name: it has server, worker";
    assert!(reason.contains(known), "{reason}");
    let several = "it has the layouts of several images: ";
    for words in [&["push"][..], &["publish", "--key", "nowhere"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_builder"));
        command.args(words).arg(out).arg("127.0.0.1:1/app:v1");
        let reason = unanswered(&command.output().unwrap());
        let layouts = ["server", "worker"].map(|name| out.join(name).display().to_string());
        assert!(
            reason.contains(&format!("{several}{}", layouts.join(", "))),
            "{reason}"
        );
    }
}

#[test]
fn one_command_makes_the_programs_of_all_images() {
    let test = "one_command_makes_the_programs_of_all_images";
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let repository = repository(folder.path());
    if let Err(reason) = lock(&repository, COMPILED) {
        assert!(reason.contains("package archive"), "{reason}");
        return testkit::skip(test, format_args!("no inputs on this machine: {reason}"));
    }
    let built = build(&repository, &out, &[]);
    if said(&built).contains("making sandbox: ") {
        return testkit::skip(test, format_args!("no namespaces: {}", said(&built)));
    }
    printed(built);
    for (name, has_package) in [("server", false), ("worker", true)] {
        let layout = out.join(name);
        let bill = fs::read(layout.join("sbom.cdx.json")).unwrap();
        let bill = attest::Sbom::parse(&bill).unwrap();
        let program = content::Digest::of(format!("{name}\n").as_bytes());
        assert!(bill.files().any(|file| file == ("/program", program)));
        assert_eq!(bill.packages().any(|one| one.name == "dash"), has_package);
        let inputs = String::from_utf8(provenance(&layout)).unwrap();
        // The build root has it, too.
        assert!(inputs.contains("pkg:deb/debian/dash@"), "{inputs}");
    }
}
