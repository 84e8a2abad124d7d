//! A build needs packages that an archive has signed, even after the archive has a newer index. The archive is a local
//! server with the packages of the host's archive.
//!
//! The first run needs the network, for the compiler's packages; they are kept below `target/tmp`.
#![allow(clippy::unwrap_used, reason = "a test panics and reports")]

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use builder::inputs;
use builder::lock::Lock;
use builder::lock::packages::Package;
use content::Digest;

const LIST: &str = "main/binary-amd64/Packages.xz";

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    command.stdin(Stdio::null()).output().unwrap()
}

fn succeed(program: &str, arguments: &[&str], folder: &Path) -> String {
    let output = run(program, arguments, folder);
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        said(&output)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// A key that signs an archive.
struct Signer {
    home: tempfile::TempDir,
    fingerprint: String,
}

impl Signer {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut signer = Self {
            home,
            fingerprint: String::new(),
        };
        let new = [
            "--passphrase",
            "",
            "--quick-gen-key",
            "test",
            "ed25519",
            "sign",
        ];
        signer.gpg(&new);
        let listed = signer.gpg(&["--with-colons", "--list-keys"]);
        let line = listed.lines().find(|line| line.starts_with("fpr:"));
        signer.fingerprint = line.unwrap().split(':').nth(9).unwrap().to_owned();
        signer.gpg(&["--output", "keyring.gpg", "--export"]);
        signer
    }

    fn gpg(&self, arguments: &[&str]) -> String {
        let home = self.home.path();
        let general = [
            "--homedir",
            home.to_str().unwrap(),
            "--batch",
            "--quiet",
            "--yes",
        ];
        let all = [&general[..], &["--pinentry-mode", "loopback"], arguments].concat();
        succeed("gpg", &all, home)
    }

    fn keyring(&self) -> PathBuf {
        self.home.path().join("keyring.gpg")
    }

    fn sign(&self, text: &str) -> Vec<u8> {
        fs::write(self.home.path().join("Release"), text).unwrap();
        self.gpg(&["--output", "InRelease", "--clear-sign", "Release"]);
        fs::read(self.home.path().join("InRelease")).unwrap()
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        let home = self.home.path();
        run(
            "gpgconf",
            &["--homedir", home.to_str().unwrap(), "--kill", "all"],
            home,
        );
    }
}

/// An archive that serves only its index: the packages are in the store already.
struct Served {
    url: String,
    files: Arc<Mutex<HashMap<String, Vec<u8>>>>,
}

impl Served {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let files = Arc::<Mutex<HashMap<_, _>>>::default();
        let shelf = files.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &shelf.lock().unwrap());
            }
        });
        Self { url, files }
    }

    /// Signs an index of `packages`, and serves it instead of the old one.
    fn publish(&self, signer: &Signer, packages: &[Package], date: &str) {
        self.files.lock().unwrap().clear();
        self.publish_suite(signer, "bookworm", (packages, packages), date);
    }

    /// Signs an index of some packages, the first of which needs others, and serves it.
    fn publish_suite(
        &self,
        signer: &Signer,
        suite: &str,
        (packages, needed): (&[Package], &[Package]),
        date: &str,
    ) {
        let list = pack(&list(packages, needed));
        let (sha256, size) = (Digest::of(&list).hex(), list.len());
        let text = format!(
            "Suite: {suite}\nDate: {date}\nAcquire-By-Hash: yes\nSHA256:\n {sha256} {size} {LIST}\n"
        );
        let folder = format!("/dists/{suite}");
        let by_hash = format!("{folder}/main/binary-amd64/by-hash/SHA256/{sha256}");
        let release = signer.sign(&text);
        let files = [(format!("{folder}/InRelease"), release), (by_hash, list)];
        self.files.lock().unwrap().extend(files);
    }
}

fn answer(stream: TcpStream, files: &HashMap<String, Vec<u8>>) {
    let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let found = files.get(first.split(' ').nth(1).unwrap_or_default());
    let (status, body) = found.map_or(("404 Not Found", &[][..]), |body| ("200 OK", &body[..]));
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let mut stream = &stream;
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
}

fn pack(text: &str) -> Vec<u8> {
    let mut packed = liblzma::write::XzEncoder::new(Vec::new(), 1);
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

/// A package list in which each package needs others.
fn list(packages: &[Package], needed: &[Package]) -> String {
    let names: Vec<_> = needed.iter().map(|one| one.name.as_str()).collect();
    let source = |one: &Package| one.source.as_ref().map(ToString::to_string);
    let stanza = |one: &Package| {
        format!(
            "Package: {}\nSource: {}\nVersion: {}\nFilename: {}\nSize: {}\nSHA256: {}\nDepends: {}\n",
            one.name,
            source(one).as_ref().unwrap_or(&one.name),
            one.version,
            one.path,
            one.size,
            one.sha256.hex(),
            names.join(", ")
        )
    };
    packages.iter().map(stanza).collect::<Vec<_>>().join("\n")
}

/// A repository of the fixture, and the store that the tests of this crate share.
struct Place {
    folder: tempfile::TempDir,
    store: PathBuf,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
            store: Path::new(env!("CARGO_TARGET_TMPDIR")).join("store"),
        };
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/probe");
        let fixture = fixture.to_str().unwrap();
        succeed("cp", &["-r", fixture, "source"], place.folder.path());
        succeed("git", &["init", "--quiet"], &place.at("source"));
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn commit(&self) {
        let source = self.at("source");
        succeed("git", &["add", "--all"], &source);
        let commit = [
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "commit",
            "--quiet",
            "-mone",
        ];
        succeed("git", &commit, &source);
    }

    fn builder(&self, command: &str, store: &Path, options: &[&str]) -> Output {
        let mut builder = Command::new(env!("CARGO_BIN_EXE_builder"));
        builder
            .args([command, "source", "--store"])
            .arg(store)
            .args(options);
        builder
            .env_remove("COUNTERSIGN_ARCHIVE_KEY")
            .current_dir(self.folder.path());
        builder.stdin(Stdio::null()).output().unwrap()
    }

    fn lock(&self) -> Lock {
        let text = fs::read_to_string(self.at("source/Image.lock")).unwrap();
        content::toml::parse(&text).unwrap()
    }

    /// A store with the same packages and without an index.
    fn without_index(&self) -> PathBuf {
        let store = self.at("store");
        fs::create_dir(&store).unwrap();
        for entry in fs::read_dir(&self.store).unwrap() {
            let name = entry.unwrap().file_name();
            if !["indices", "coming", "projects"]
                .iter()
                .any(|own| name == *own)
            {
                symlink(self.store.join(&name), store.join(&name)).unwrap();
            }
        }
        store
    }
}

/// The reason why this machine cannot build, if there is one.
fn impossible(output: &Output) -> Option<String> {
    let reason = said(output);
    let known = ["package archive", "cargo fetch", "making sandbox: "];
    let impossible = !output.status.success() && known.iter().any(|why| reason.contains(why));
    impossible.then_some(reason)
}

#[test]
fn a_rebuild_passes_after_the_archive_has_a_newer_index() {
    let test = "a_rebuild_passes_after_the_archive_has_a_newer_index";
    if Command::new("gpg").arg("--version").output().is_err() {
        return testkit::skip(test, "no gpg to sign an archive with");
    }
    let place = Place::new();
    let locked = place.builder("lock", &place.store, &[]);
    if let Some(reason) = impossible(&locked) {
        return testkit::skip(test, format_args!("no inputs on this machine: {reason}"));
    }
    assert!(locked.status.success(), "{}", said(&locked));
    let packages = place.lock().packages;
    let (signer, archive) = (Signer::new(), Served::new());
    archive.publish(&signer, &packages, "Mon, 06 Jul 2026 12:00:00 UTC");

    // Its key is not Debian's, and is trusted only if the user says so.
    let keyring = signer.keyring();
    let where_ = ["--archive", archive.url.as_str()];
    let lock = [&where_[..], &["--keyring", keyring.to_str().unwrap()]].concat();
    let untrusted = place.builder("lock", &place.store, &lock);
    assert_eq!(untrusted.status.code(), Some(2), "{}", said(&untrusted));
    assert!(
        said(&untrusted).contains("no valid signature by a trusted key"),
        "{}",
        said(&untrusted)
    );
    let trust = ["--archive-key", signer.fingerprint.as_str()];
    let locked = place.builder("lock", &place.store, &[&lock[..], &trust].concat());
    assert!(locked.status.success(), "{}", said(&locked));
    assert_eq!(place.lock().packages, packages);
    place.commit();
    let build = |store: &Path, options: &[&[&str]]| {
        let options = [&["-o", "layout"][..], &where_, &options.concat()].concat();
        place.builder("build", store, &options)
    };
    let first = build(&place.store, &[&trust]);
    if let Some(reason) = impossible(&first) {
        return testkit::skip(
            test,
            format_args!("no namespaces on this machine: {reason}"),
        );
    }
    assert!(first.status.success(), "{}", said(&first));
    fs::rename(place.at("layout/evidence"), place.at("evidence")).unwrap();

    let newer = packages.iter().map(|one| Package {
        version: format!("{}+newer", one.version),
        ..one.clone()
    });
    archive.publish(
        &signer,
        &newer.collect::<Vec<_>>(),
        "Tue, 07 Jul 2026 12:00:00 UTC",
    );
    let store = place.without_index();
    let moved = build(&store, &[&trust]);
    assert_eq!(moved.status.code(), Some(2), "{}", said(&moved));
    let expected = "error: fetching the locked InRelease: expected sha256:";
    assert!(said(&moved).contains(expected), "{}", said(&moved));
    let evidence = ["--evidence", "evidence"];
    let distrusted = build(&store, &[&evidence]);
    assert_eq!(distrusted.status.code(), Some(1), "{}", said(&distrusted));
    assert!(
        said(&distrusted).contains("which is not trusted"),
        "{}",
        said(&distrusted)
    );
    let rebuilt = build(&store, &[&trust, &evidence]);
    assert!(rebuilt.status.success(), "{}", said(&rebuilt));
    assert_eq!(rebuilt.stdout, first.stdout);
}

#[test]
fn packages_of_several_suites_are_verified_by_their_own_indexes() {
    let test = "packages_of_several_suites_are_verified_by_their_own_indexes";
    if Command::new("gpg").arg("--version").output().is_err() {
        return testkit::skip(test, "no gpg to sign an archive with");
    }
    let place = Place::new();
    let locked = place.builder("lock", &place.store, &[]);
    if let Some(reason) = impossible(&locked) {
        return testkit::skip(test, format_args!("no inputs on this machine: {reason}"));
    }
    assert!(locked.status.success(), "{}", said(&locked));
    let packages = place.lock().packages;
    let is_extra = |one: &&Package| one.name.contains("rust") || one.name.contains("cargo");
    let (extra, main): (Vec<_>, Vec<_>) = packages.iter().partition(is_extra);
    let own = |some: Vec<&Package>| some.into_iter().cloned().collect::<Vec<_>>();
    let (extra, main) = (own(extra), own(main));
    let (signer, archive) = (Signer::new(), Served::new());
    let date = "Mon, 06 Jul 2026 12:00:00 UTC";
    archive.publish_suite(&signer, "bookworm", (&main, &packages), date);
    archive.publish_suite(&signer, "extra", (&extra, &packages), date);
    let path = place.at("source/Image.toml");
    let spec = fs::read_to_string(&path).unwrap();
    let suites = "suites = [\"bookworm\", \"extra\"]";
    fs::write(&path, spec.replace("suite = \"bookworm\"", suites)).unwrap();
    let trust = [
        "--archive-key",
        signer.fingerprint.as_str(),
        "--archive",
        archive.url.as_str(),
    ];
    let keyring = signer.keyring();
    let lock = [&trust[..], &["--keyring", keyring.to_str().unwrap()]].concat();
    let locked = place.builder("lock", &place.store, &lock);
    assert!(locked.status.success(), "{}", said(&locked));
    let honest = place.lock();
    let found = honest
        .packages
        .iter()
        .filter(|one| one.suite.as_deref() == Some("extra"));
    let names = |some: Vec<&Package>| {
        some.into_iter()
            .map(|one| one.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(found.collect()), names(extra.iter().collect()));
    assert_eq!(honest.packages.len(), packages.len());
    place.commit();
    let build = |store: &Path, options: &[&str]| {
        place.builder(
            "build",
            store,
            &[&["-o", "layout"][..], &trust, options].concat(),
        )
    };
    let first = build(&place.store, &[]);
    if let Some(reason) = impossible(&first) {
        return testkit::skip(
            test,
            format_args!("no namespaces on this machine: {reason}"),
        );
    }
    assert!(first.status.success(), "{}", said(&first));
    fs::rename(place.at("layout/evidence"), place.at("evidence")).unwrap();
    assert!(place.at("evidence/extra/InRelease").exists());
    // The archive has nothing any more.
    archive.files.lock().unwrap().clear();
    let store = place.without_index();
    let rebuilt = build(&store, &["--evidence", "evidence"]);
    assert!(rebuilt.status.success(), "{}", said(&rebuilt));
    assert_eq!(rebuilt.stdout, first.stdout);
    let mut smuggled = honest;
    let rustc = smuggled
        .packages
        .iter_mut()
        .find(|one| one.name == "rustc-web");
    rustc.unwrap().suite = Some("bookworm".to_owned());
    inputs::write_lock(&smuggled, &place.at("source")).unwrap();
    place.commit();
    let refused = build(&store, &[]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    let expected = "checking package rustc-web: it is not in the signed package index";
    assert!(said(&refused).contains(expected), "{}", said(&refused));
}

#[test]
fn a_package_that_the_archive_has_not_signed_is_refused() {
    let test = "a_package_that_the_archive_has_not_signed_is_refused";
    let place = Place::new();
    let locked = place.builder("lock", &place.store, &[]);
    if let Some(reason) = impossible(&locked) {
        return testkit::skip(test, format_args!("no inputs on this machine: {reason}"));
    }
    assert!(locked.status.success(), "{}", said(&locked));
    let honest = place.lock();
    let linker = |lock: &Lock| {
        let mut packages = lock.packages.iter();
        packages
            .position(|one| one.name == "binutils-x86-64-linux-gnu")
            .unwrap()
    };
    let smuggled = |change: &dyn Fn(&mut Package)| {
        let mut lock = honest.clone();
        let index = linker(&lock);
        change(&mut lock.packages[index]);
        inputs::write_lock(&lock, &place.at("source")).unwrap();
        place.commit();
        let refused = place.builder("build", &place.store, &["-o", "layout"]);
        if let Some(reason) = impossible(&refused) {
            testkit::skip(
                test,
                format_args!("no namespaces on this machine: {reason}"),
            );
            return None;
        }
        assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
        Some(said(&refused))
    };
    let Some(said) = smuggled(&|package| package.sha256 = Digest::of(b"a crate")) else {
        return;
    };
    let expected = "checking package binutils-x86-64-linux-gnu: expected SHA-256 ";
    assert!(said.contains(expected), "{said}");
    let said = smuggled(&|package| package.name = "binutils-of-an-attacker".into()).unwrap();
    let expected =
        "checking package binutils-of-an-attacker: it is not in the signed package index";
    assert!(said.contains(expected), "{said}");
}
