//! Images with Python packages from an index that the test makes. Nothing else is fetched, but for the test with a command.
#![allow(clippy::unwrap_used, reason = "a test panics and reports")]

mod index;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use index::{Index, archive, wheel};

const IMAGE: &str = r#"
[build]
kind = "command"

[[wheels]]
requirements = "deploy/requirements.txt"
path = "/app/lib"
python = "3.13"
glibc = "2.41"

[image]
entrypoint = ["/usr/bin/python3", "/app/main.py"]

[[file]]
path = "/app/main.py"
content = "import greet\n"
"#;

const NUMBER: &str = "number-2.0-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl";

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder);
    command.args(["-c", "user.name=a", "-c", "user.email=a@b"]);
    let output = command.args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        said(&output)
    );
}

/// A repository with a program that needs two projects of the index.
struct Place {
    folder: tempfile::TempDir,
    index: Index,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
            index: Index::new(),
        };
        place.write("Image.toml", IMAGE);
        let requirements = place.requirements();
        place.write("deploy/requirements.txt", &requirements);
        git(&place.repository(), &["init", "--quiet"]);
        place
    }

    /// Publishes both projects. Returns the file of requirements.
    fn requirements(&self) -> String {
        let needs = "Requires-Dist: Number >=2\nRequires-Dist: other; sys_platform == \"win32\"\n";
        let greet = wheel(
            "greet",
            "1.0",
            needs,
            &[
                ("greet/__init__.py", "import number\n"),
                ("shared/__init__.py", ""),
                (
                    "greet-1.0.dist-info/entry_points.txt",
                    "[console_scripts]\nhello = greet:main\n",
                ),
                ("greet-1.0.data/scripts/tool", "#!python\n"),
                ("greet-1.0.data/headers/greet.h", ""),
            ],
        );
        let number = wheel(
            "number",
            "2.0",
            "",
            &[
                ("number.so", "ELF"),
                ("shared/__init__.py", ""),
                ("number-2.0.data/purelib/number_text.py", "TEXT = 'two'\n"),
            ],
        );
        let greet = self
            .index
            .publish("greet", "greet-1.0-py3-none-any.whl", &greet);
        let best = self.index.publish("number", NUMBER, &number);
        let other = wheel("number", "2.0", "", &[("number.py", "")]);
        let other = self
            .index
            .publish("number", "number-2.0-py3-none-any.whl", &other);
        let source = self.index.publish("number", "number-2.0.tar.gz", b"source");
        format!(
            "# by hand\ngreet==1.0 \\\n    {greet}\nNumber==2.0 \\\n    {best} \\\n    {other} \\\n    {source}\n    # via greet\n"
        )
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

    fn builder(&self, action: &str, directory: &Path, store: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_builder"));
        command.arg(action).arg(directory).stdin(Stdio::null());
        command.arg("--store").arg(self.folder.path().join(store));
        command.env("PIP_INDEX_URL", self.index.address());
        command
    }

    /// The status and the words of a lock.
    fn lock(&self) -> (Option<i32>, String) {
        let output = self
            .builder("lock", &self.repository(), "store")
            .output()
            .unwrap();
        (output.status.code(), said(&output))
    }

    /// What a lock says that is refused with this status.
    #[track_caller]
    fn refused(&self, status: i32) -> String {
        let (found, said) = self.lock();
        assert_eq!(found, Some(status), "{said}");
        said
    }

    fn build(&self, directory: &Path, layout: &Path, store: &str) -> Command {
        let mut command = self.builder("build", directory, store);
        command.arg("-o").arg(layout);
        command.args(["--source-uri", "git+https://source.example/app"]);
        command
    }
}

fn is_impossible(output: &Output, test: &str) -> bool {
    let reason = said(output);
    let is_impossible = reason.contains("making sandbox: ");
    if is_impossible {
        testkit::skip(
            test,
            format_args!("no namespaces on this machine: {reason}"),
        );
    }
    is_impossible
}

/// The files of the image's only layer by path.
fn files(layout: &Path) -> BTreeMap<String, String> {
    let layout = oci::Layout::open(layout).unwrap();
    let image = layout.image().unwrap();
    let layer = layout
        .open_blob(&image.manifest().layers[0].digest)
        .unwrap();
    let mut files = BTreeMap::new();
    oci::layer::read(layer, |entry, content| -> Result<(), oci::Error> {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).unwrap();
        if !bytes.is_empty() {
            let text = String::from_utf8(bytes).unwrap();
            files.insert(entry.path.to_string(), text);
        }
        Ok(())
    })
    .unwrap();
    files
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).collect()
}

#[test]
fn an_image_has_the_modules_of_its_wheels() {
    let test = "an_image_has_the_modules_of_its_wheels";
    let place = Place::new();
    let (status, reason) = place.lock();
    assert_eq!(status, Some(0), "{reason}");
    assert!(
        reason.contains("commands of wheels are left out: greet (hello, tool)"),
        "{reason}"
    );
    assert!(
        reason.contains("are left out: greet (greet-1.0.data/headers/greet.h)"),
        "{reason}"
    );
    let lock = fs::read_to_string(place.repository().join("Image.lock")).unwrap();
    let expected = format!("file = \"{NUMBER}\"");
    assert!(lines(&lock).contains(&expected.as_str()), "{lock}");
    assert!(!lock.contains("127.0.0.1"), "{lock}");
    place.commit();

    let first = place.folder.path().join("first");
    let one = place
        .build(&place.repository(), &first, "store")
        .output()
        .unwrap();
    if is_impossible(&one, test) {
        return;
    }
    assert!(one.status.success(), "{}", said(&one));
    let elsewhere = place.folder.path().join("another place");
    let to = elsewhere.to_str().unwrap();
    git(place.folder.path(), &["clone", "--quiet", "one", to]);
    let second = place.folder.path().join("second");
    let mut other = place.build(&elsewhere, &second, "other");
    let two = other.env("TZ", "Asia/Tokyo").output().unwrap();
    assert!(two.status.success(), "{}", said(&two));
    assert_eq!(one.stdout, two.stdout);

    let found = files(&first);
    assert_eq!(found["app/lib/greet/__init__.py"], "import number\n");
    assert_eq!(found["app/lib/number.so"], "ELF");
    assert_eq!(found["app/lib/number_text.py"], "TEXT = 'two'\n");
    let is_elsewhere = |path: &&String| path.contains(".data") || path.contains("/tool");
    assert_eq!(found.keys().find(is_elsewhere), None);
    described(&first);
}

/// Both bills of materials, and provenance, name both wheels with the digests of their files.
fn described(layout: &Path) {
    let read = |name: &str| fs::read(layout.join(name)).unwrap();
    let bill = attest::Sbom::parse(&read("sbom.cdx.json")).unwrap();
    let purls = ["pkg:pypi/greet@1.0", "pkg:pypi/number@2.0"];
    let wheels: Vec<_> = bill.of_type(attest::sbom::WHEEL).cloned().collect();
    let named: Vec<_> = wheels.iter().map(|one| one.purl.as_str()).collect();
    assert_eq!(named, purls);
    let provenance = attest::Provenance::parse(&read("provenance.json")).unwrap();
    let inputs = provenance.build_definition.resolved_dependencies;
    for wheel in &wheels {
        let mut inputs = inputs.iter();
        let input = inputs.find(|input| input.uri.as_deref() == Some(&wheel.purl));
        assert_eq!(input.unwrap().digest["sha256"], wheel.digest.unwrap().hex());
    }
    let spdx = sbom::parse(&read("sbom.spdx.json")).unwrap();
    let reference = |is_it: &dyn Fn(&sbom::Component) -> bool| {
        let component = spdx.components.iter().find(|one| is_it(one)).unwrap();
        component.reference.clone().unwrap()
    };
    let number = reference(&|one| one.purl() == Some(purls[1]));
    let module = reference(&|one| one.name.ends_with("app/lib/number_text.py"));
    let contains = |relation: &sbom::Relation| {
        relation.kind == sbom::RelationKind::Contains
            && relation.from == number
            && relation.to == module
    };
    assert!(spdx.relations.iter().any(contains));
    let checks = String::from_utf8(read("checks.json")).unwrap();
    assert_eq!(checks, "{\"registry\":\"made\"}");
}

#[test]
fn names_are_compared_with_the_index_at_each_build() {
    let test = "names_are_compared_with_the_index_at_each_build";
    let place = Place::new();
    let (status, reason) = place.lock();
    assert_eq!(status, Some(0), "{reason}");
    place.commit();
    let layout = place.folder.path().join("layout");
    let build = |address: &str, store: &str| {
        let mut build = place.build(&place.repository(), &layout, store);
        build.env("PIP_INDEX_URL", address).output().unwrap()
    };
    let nowhere = "http://127.0.0.1:1/simple";
    let kept = build(nowhere, "store");
    if is_impossible(&kept, test) {
        return;
    }
    assert!(kept.status.success(), "{}", said(&kept));
    let checks = fs::read_to_string(layout.join("checks.json")).unwrap();
    assert!(checks.contains("notMade"), "{checks}");

    let absent = build(nowhere, "empty");
    assert_eq!(absent.status.code(), Some(2), "{}", said(&absent));

    let other = content::Digest::of(b"other");
    place.index.list("number", NUMBER, &other.hex());
    for store in ["store", "empty"] {
        let refused = build(&place.index.address(), store);
        let reason = said(&refused);
        assert_eq!(refused.status.code(), Some(1), "{reason}");
        let expected = format!(
            "checking wheel {NUMBER}: expected {other}, the digest in the package index, found"
        );
        assert!(reason.contains(&expected), "{reason}");
    }
}

#[test]
fn what_is_missing_is_said_at_lock() {
    let place = Place::new();
    let whole = fs::read_to_string(place.repository().join("deploy/requirements.txt")).unwrap();
    let (greet, number) = whole.split_at(whole.find("Number").unwrap());
    place.write("deploy/requirements.txt", greet);
    let reason = place.refused(2);
    assert!(
        reason.contains("reading deploy/requirements.txt: greet 1.0 needs number>=2: add a line number==2.0 --hash=sha256:"),
        "{reason}"
    );

    let source = number.lines().find(|line| line.contains("sha256")).unwrap();
    let source_only = place
        .index
        .publish("number", "number-2.0.tar.gz", b"source");
    place.write(
        "deploy/requirements.txt",
        &format!(
            "number==2.0 {source_only}\nabsent==1 {}\n",
            source.trim().trim_end_matches('\\')
        ),
    );
    let reason = place.refused(2);
    for fault in [
        "number 2.0: no digest is that of a wheel of it, only of number-2.0.tar.gz",
        "absent 1: the package index has no file with a digest that is named for it",
    ] {
        assert!(reason.contains(fault), "{reason}");
    }

    place.write("deploy/requirements.txt", "greet\nnumber>=2\n");
    let reason = place.refused(2);
    assert!(
        reason.contains("parsing deploy/requirements.txt: 2 faults: (1) line 1: greet: "),
        "{reason}"
    );

    fs::remove_file(place.repository().join("deploy/requirements.txt")).unwrap();
    let reason = place.refused(2);
    assert!(
        reason.contains("deploy/requirements.txt: No such file"),
        "{reason}"
    );
}

#[test]
fn a_wrong_wheel_is_refused() {
    let place = Place::new();
    let lock = |files: &[u8]| {
        let digest = place.index.publish("bad", "bad-1-py3-none-any.whl", files);
        place.write("deploy/requirements.txt", &format!("bad==1 {digest}\n"));
        place.refused(2)
    };
    for (bytes, fault) in [
        (
            wheel("bad", "2", "", &[]),
            "expected name and version of its file name, found bad 2",
        ),
        (
            wheel("other", "1", "", &[]),
            "expected name and version of its file name, found other 1",
        ),
        (
            wheel("bad", "1", "", &[("../x", "")]),
            "../x: expected a path of plain names",
        ),
        (
            wheel("bad", "1", "", &[("/x", "")]),
            "/x: expected a path of plain names",
        ),
        (
            b"no archive".to_vec(),
            "reading wheel bad-1-py3-none-any.whl: ",
        ),
        (
            archive(&[("bad.py".to_owned(), String::new())]),
            "it has no folder NAME-VERSION.dist-info",
        ),
    ] {
        let reason = lock(&bytes);
        assert!(reason.contains(fault), "{reason}");
    }
    for (record, fault) in [
        ("bad-1.dist-info/RECORD,,\n", "a.py is not in its RECORD"),
        ("a.py,,\n", "a.py has no digest in its RECORD"),
        (
            "a.py,sha256=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA,\n",
            "a.py: expected sha256:0000000000000000000000000000000000000000000000000000000000000000, as RECORD has",
        ),
    ] {
        let info = |name: &str, text: &str| (format!("bad-1.dist-info/{name}"), text.to_owned());
        let files = [
            ("a.py".to_owned(), "text".to_owned()),
            info("METADATA", "Name: bad\nVersion: 1\n"),
            info("WHEEL", "Wheel-Version: 1.0\n"),
            info("RECORD", record),
        ];
        let reason = lock(&archive(&files));
        assert!(reason.contains(fault), "{reason}");
    }
}

#[test]
fn wheels_that_do_not_fit_together_are_refused() {
    let test = "wheels_that_do_not_fit_together_are_refused";
    let place = Place::new();
    for (other, text, fault) in [
        (
            "tests/a.py",
            "2",
            "tests/a.py: a-1-py3-none-any.whl has another file with this path",
        ),
        ("Tests/b.py", "1", "Tests/b.py: tests differs only in case"),
    ] {
        let one = wheel("a", "1", "", &[("tests/a.py", "1")]);
        let two = wheel("b", "1", "", &[(other, text)]);
        let one = place.index.publish("a", "a-1-py3-none-any.whl", &one);
        let two = place.index.publish("b", "b-1-py3-none-any.whl", &two);
        place.write(
            "deploy/requirements.txt",
            &format!("a==1 {one}\nb==1 {two}\n"),
        );
        let (status, reason) = place.lock();
        assert_eq!(status, Some(0), "{reason}");
        place.commit();
        let layout = place.folder.path().join("layout");
        let refused = place
            .build(&place.repository(), &layout, "store")
            .output()
            .unwrap();
        if is_impossible(&refused, test) {
            return;
        }
        let reason = said(&refused);
        assert!(reason.contains(fault), "{reason}");
    }
}

#[test]
fn a_command_can_read_wheels() {
    let test = "a_command_can_read_wheels";
    let place = Place::new();
    let build = "kind = \"command\"\ncommand = [\"/bin/sh\", \"-c\", \"read -r line </app/lib/greet/__init__.py; echo $line >out\"]\n\
                 outputs = { out = \"out\" }\n[root]\nsuite = \"bookworm\"\npackages = [\"dash\"]\n";
    let file = "[[file]]\npath = \"/out\"\nbinary = \"out\"\n";
    let image = IMAGE.replace("kind = \"command\"\n", build);
    place.write("Image.toml", &format!("{image}{file}"));
    let (status, reason) = place.lock();
    if status != Some(0) {
        assert!(reason.contains("package archive"), "{reason}");
        return testkit::skip(test, format_args!("no inputs on this machine: {reason}"));
    }
    place.commit();
    let layout = place.folder.path().join("layout");
    let built = place
        .build(&place.repository(), &layout, "store")
        .output()
        .unwrap();
    if is_impossible(&built, test) {
        return;
    }
    assert!(built.status.success(), "{}", said(&built));
    assert_eq!(files(&layout)["out"], "import number\n");
}
