//! Crates are only taken from the public registry, even if a source names another one, or cargo's cache has other crates.
//! In these tests, the user's configuration of cargo replaces the public registry with a local server.
#![allow(clippy::unwrap_used, reason = "a test panics and says what it skips")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use content::Digest;

const NAME: &str = "itoa";
const VERSION: &str = "1.0.19";

/// A crate archive whose text differs from that of others.
fn archive(text: &str) -> Vec<u8> {
    let level = flate2::Compression::fast();
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), level));
    let manifest =
        format!("[package]\nname = \"{NAME}\"\nversion = \"{VERSION}\"\nedition = \"2021\"\n");
    for (path, text) in [("Cargo.toml", manifest.as_str()), ("src/lib.rs", text)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        let path = format!("{NAME}-{VERSION}/{path}");
        builder
            .append_data(&mut header, path, text.as_bytes())
            .unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

/// A folder with a signed package index, whose first signer's fingerprint is in the file `signers`.
fn evidence() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/archive")
}

fn archive_key() -> String {
    let signers = fs::read_to_string(evidence().join("signers")).unwrap();
    let first = signers.lines().next().unwrap();
    first.strip_prefix("own ").unwrap().to_owned()
}

/// The section of a lock that names that index.
fn index() -> String {
    let files = [
        ("release", "InRelease"),
        ("packages", "Packages.xz"),
        ("keyring", "keyring.gpg"),
    ];
    let tables = files.map(|(name, file)| {
        let bytes = fs::read(evidence().join(file)).unwrap();
        let (sha256, size) = (Digest::of(&bytes), bytes.len());
        format!("[index.{name}]\nsha256 = \"{sha256}\"\nsize = {size}\n")
    });
    let key = archive_key();
    format!(
        "[index]\ndate = \"2026-07-07T00:00:00Z\"\n{}\
         [[index.signature]]\nkey = \"{key}\"\ntime = \"2026-07-06T12:00:00Z\"\n",
        tables.concat()
    )
}

/// A registry with one crate, which is yanked: a lock may still name it.
struct Registry {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Registry {
    fn serve(archive: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let registry = Self {
            address: address.clone(),
            asked: Arc::default(),
        };
        let asked = Arc::clone(&registry.asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let path = answer(stream, &address, &archive);
                asked.lock().unwrap().push(path);
            }
        });
        registry
    }

    fn index(&self) -> String {
        format!("sparse+http://{}/", self.address)
    }

    fn was_asked(&self) -> bool {
        !self.asked.lock().unwrap().is_empty()
    }
}

fn answer(stream: TcpStream, address: &str, archive: &[u8]) -> String {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap() > 2 {
        line.clear();
    }
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let (status, body) = match path.as_str() {
        "/config.json" => (
            "200 OK",
            format!("{{\"dl\":\"http://{address}/dl\"}}").into_bytes(),
        ),
        "/it/oa/itoa" => {
            let digest = Digest::of(archive).hex();
            let entry = format!(
                "{{\"name\":\"{NAME}\",\"vers\":\"{VERSION}\",\"deps\":[],\"features\":{{}},\"yanked\":true,\"cksum\":\"{digest}\"}}\n"
            );
            ("200 OK", entry.into_bytes())
        }
        path if path.starts_with("/dl/") => ("200 OK", archive.to_vec()),
        _ => ("404 Not Found", Vec::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = reader.into_inner();
    // cargo may have given up.
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&body);
    path
}

/// A user with a source, a store, and a cargo that records that it was run.
struct User {
    folder: tempfile::TempDir,
    public: String,
}

impl User {
    fn new(mirror: &Registry) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/probe");
        let mut copy = Command::new("cp");
        copy.arg("-r")
            .arg(&fixture)
            .arg(folder.path().join("source"));
        assert!(copy.status().unwrap().success());
        let lock = fs::read_to_string(fixture.join("Cargo.lock")).unwrap();
        let line = lock.lines().find(|line| line.starts_with("source = "));
        let user = Self {
            folder,
            public: line.unwrap().to_owned(),
        };
        user.configure(mirror);
        let cargo = format!(
            "#!/bin/sh\ntouch {}\nexec {} \"$@\"\n",
            user.at("cargo-ran").display(),
            env!("CARGO")
        );
        fs::write(user.at("cargo"), cargo).unwrap();
        fs::set_permissions(user.at("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
        user
    }

    /// Returns the user a new home of cargo, whose configuration replaces the public registry with a mirror.
    fn configure(&self, mirror: &Registry) {
        let home = self.at("home");
        let _ = fs::remove_dir_all(&home);
        fs::create_dir(&home).unwrap();
        let text = format!(
            "[source.crates-io]\nreplace-with = \"mirror\"\n[source.mirror]\nregistry = \"{}\"\n",
            mirror.index()
        );
        fs::write(home.join("config.toml"), text).unwrap();
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Commits the source with `dependency` in its manifest, and a lock that names this archive at `source`.
    fn release(&self, dependency: &str, source: &str, archive: &[u8]) {
        self.release_as([NAME, VERSION], dependency, source, archive);
    }

    /// As [`User::release`], with another name and version of the crate.
    fn release_as(&self, named: [&str; 2], dependency: &str, source: &str, archive: &[u8]) {
        let [name, version] = named;
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/probe");
        let write = |name: &str, text: &str| fs::write(self.at("source").join(name), text).unwrap();
        let manifest = fs::read_to_string(fixture.join("Cargo.toml")).unwrap();
        write("Cargo.toml", &manifest.replace("itoa = \"1\"", dependency));
        let lock = fs::read_to_string(fixture.join("Cargo.lock")).unwrap();
        let digest = Digest::of(archive);
        let old = lock.lines().find(|line| line.starts_with("checksum = "));
        let lock = lock
            .replace(old.unwrap(), &format!("checksum = \"{}\"", digest.hex()))
            .replace(&self.public, source)
            .replace(&format!("\"{NAME}\""), &format!("\"{name}\""))
            .replace(&format!("\"{VERSION}\""), &format!("\"{version}\""));
        write("Cargo.lock", &lock);
        let spec = fs::read_to_string(fixture.join("Image.toml")).unwrap();
        write("Image.toml", &spec.replace("bookworm", "test"));
        let spec = Digest::of(&fs::read(self.at("source/Image.toml")).unwrap());
        let image_lock = format!(
            "version = 2\nspec = \"{spec}\"\ncargo_lock = \"{}\"\nroot = \"sha256:{}\"\npackage = []\n{}\
             [[crate]]\nname = \"{name}\"\nversion = \"{version}\"\nsha256 = \"{digest}\"\nsize = {}\n",
            Digest::of(lock.as_bytes()),
            "0".repeat(64),
            index(),
            archive.len()
        );
        write("Image.lock", &image_lock);
        let script =
            "git init -q && git add . && git -c user.name=a -c user.email=a@b commit -qm a";
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).current_dir(self.at("source"));
        assert!(shell.status().unwrap().success());
        let _ = fs::remove_file(self.at("cargo-ran"));
    }

    fn build(&self) -> Output {
        self.build_with("home")
    }

    fn build_with(&self, home: &str) -> Output {
        let mut builder = Command::new(env!("CARGO_BIN_EXE_builder"));
        builder.args(["build", "source", "-o", "layout", "--store", "store"]);
        builder
            .args(["--archive-key", &archive_key(), "--evidence"])
            .arg(evidence());
        builder.current_dir(self.folder.path()).stdin(Stdio::null());
        builder
            .env("CARGO", self.at("cargo"))
            .env("CARGO_HOME", home)
            .env_remove("CARGO_NET_OFFLINE");
        builder.output().unwrap()
    }

    fn has_run_cargo(&self) -> bool {
        self.at("cargo-ran").exists()
    }

    fn kept(&self) -> usize {
        fs::read_dir(self.at("store/crates")).unwrap().count()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Whether the machine has no namespaces; then the test is skipped.
fn is_impossible(output: &Output, test: &str) -> bool {
    let impossible = said(output).contains("making sandbox: ");
    if impossible {
        testkit::skip(test, "no namespaces on this machine");
    }
    impossible
}

/// Whether the crate was accepted: the error is about the build root, which this lock does not have.
fn is_accepted(output: &Output) -> bool {
    output.status.code() == Some(2) && said(output).contains("checking build root: ")
}

#[test]
fn another_registry_is_refused_before_cargo_runs() {
    let (honest, evil) = (archive("// honest"), archive("// evil"));
    let (mirror, attacker) = (Registry::serve(honest), Registry::serve(evil.clone()));
    let user = User::new(&mirror);
    let index = attacker.index();
    let from_attacker = format!("itoa = {{ version = \"1\", registry-index = \"{index}\" }}");
    let source = format!("source = \"{index}\"");
    for (dependency, source, reason) in [
        (
            from_attacker.as_str(),
            source.as_str(),
            "from elsewhere than the public registry",
        ),
        (
            &from_attacker,
            &user.public,
            "from elsewhere than the public registry",
        ),
        ("itoa = \"1\"", &source, "expected the public registry"),
        (
            "itoa = { git = \"file:///nowhere\" }",
            &user.public,
            "git = \"file:///nowhere\"",
        ),
    ] {
        user.release(dependency, source, &evil);
        let refused = user.build();
        if is_impossible(&refused, "another_registry_is_refused_before_cargo_runs") {
            return;
        }
        assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
        assert!(said(&refused).contains(reason), "{}", said(&refused));
        assert!(!user.has_run_cargo() && !attacker.was_asked() && !mirror.was_asked());
        assert_eq!(user.kept(), 0);
    }
}

#[test]
fn crates_of_another_registry_are_not_used_for_the_public_one() {
    let test = "crates_of_another_registry_are_not_used_for_the_public_one";
    let (honest, evil) = (archive("// honest"), archive("// evil"));
    let (mirror, attacker) = (
        Registry::serve(honest.clone()),
        Registry::serve(evil.clone()),
    );
    let user = User::new(&mirror);
    // The user has looked at the attacker's first release with cargo itself.
    let index = attacker.index();
    let dependency = format!("itoa = {{ version = \"1\", registry-index = \"{index}\" }}");
    user.release(&dependency, &format!("source = \"{index}\""), &evil);
    let mut fetch = Command::new(env!("CARGO"));
    fetch
        .args(["fetch", "--locked", "--manifest-path"])
        .arg(user.at("source/Cargo.toml"));
    fetch.env("CARGO_HOME", user.at("home")).current_dir("/");
    assert!(fetch.stderr(Stdio::null()).status().unwrap().success());
    let caches: Vec<_> = fs::read_dir(user.at("home/registry/cache"))
        .unwrap()
        .flatten()
        .collect();
    let [cache] = &caches[..] else {
        panic!("{caches:?}");
    };
    let poison = cache.path().join(format!("{NAME}-{VERSION}.crate"));
    assert_eq!(fs::read(poison).unwrap(), evil);

    let public = user.public.clone();
    user.release("itoa = \"1\"", &public, &evil);
    let refused = user.build();
    if is_impossible(&refused, test) {
        return;
    }
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    let (expected, found) = (Digest::of(&honest), Digest::of(&evil));
    let reason = format!(
        "checking crate itoa 1.0.19: expected {expected}, as the registry has it, found {found} in Cargo.lock"
    );
    assert!(said(&refused).contains(&reason), "{}", said(&refused));
    assert_eq!(user.kept(), 0);

    user.release("itoa = \"1\"", &public, &honest);
    let accepted = user.build();
    assert!(is_accepted(&accepted), "{}", said(&accepted));
    assert_eq!(user.kept(), 1);
    assert!(user.has_run_cargo());
    // The store does not help either: the check is made again.
    user.release("itoa = \"1\"", &public, &evil);
    assert_eq!(user.build().status.code(), Some(1));
}

#[test]
fn crates_that_were_checked_before_need_no_registry() {
    let test = "crates_that_were_checked_before_need_no_registry";
    let honest = archive("// honest");
    let mirror = Registry::serve(honest.clone());
    let user = User::new(&mirror);
    let public = user.public.clone();
    user.release("itoa = \"1\"", &public, &honest);
    // Nothing listens at the port of the discard protocol.
    let gone = Registry {
        address: "127.0.0.1:9".to_owned(),
        asked: Arc::default(),
    };
    user.configure(&gone);
    let unchecked = user.build();
    if is_impossible(&unchecked, test) {
        return;
    }
    assert_eq!(unchecked.status.code(), Some(2), "{}", said(&unchecked));
    assert!(
        said(&unchecked).contains("fetching crates: running cargo update: "),
        "{}",
        said(&unchecked)
    );
    assert_eq!(user.kept(), 0);
    user.configure(&mirror);
    let accepted = user.build();
    assert!(is_accepted(&accepted), "{}", said(&accepted));
    assert!(
        !said(&accepted).contains("not compared"),
        "{}",
        said(&accepted)
    );
    user.configure(&gone);
    let offline = user.build();
    assert!(is_accepted(&offline), "{}", said(&offline));
    let warned = said(&offline).contains("crates are not compared with the registry: ");
    assert!(warned, "{}", said(&offline));
    assert_eq!(user.kept(), 1);
}

#[test]
fn a_crate_that_the_registry_does_not_have_is_refused() {
    let test = "a_crate_that_the_registry_does_not_have_is_refused";
    let honest = archive("// honest");
    let mirror = Registry::serve(honest.clone());
    let user = User::new(&mirror);
    let public = user.public.clone();
    for named in [[NAME, "1.0.999"], ["nope", "1.0.19"]] {
        let [name, version] = named;
        user.release_as(named, &format!("{name} = \"1\""), &public, &honest);
        let refused = user.build();
        if is_impossible(&refused, test) {
            return;
        }
        assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
        let reason =
            format!("checking crate {name} {version}: the registry has no such crate or version");
        assert!(said(&refused).contains(&reason), "{}", said(&refused));
        assert_eq!(user.kept(), 0);
    }
    // A folder that does not have it is no registry.
    fs::create_dir(user.at("vendor")).unwrap();
    let config = format!(
        "[source.crates-io]\nreplace-with = \"vendored\"\n[source.vendored]\ndirectory = {:?}\n",
        user.at("vendor")
    );
    fs::write(user.at("home/config.toml"), config).unwrap();
    let unknown = user.build();
    assert_eq!(unknown.status.code(), Some(2), "{}", said(&unknown));
}

/// Relative paths of the environment are relative to the user's folder.
#[test]
fn a_relative_home_of_cargo_is_relative_to_the_user() {
    let honest = archive("// honest");
    let mirror = Registry::serve(honest.clone());
    let user = User::new(&mirror);
    let public = user.public.clone();
    user.release("itoa = \"1\"", &public, &honest);
    let accepted = user.build_with("./home");
    if is_impossible(
        &accepted,
        "a_relative_home_of_cargo_is_relative_to_the_user",
    ) {
        return;
    }
    assert!(is_accepted(&accepted), "{}", said(&accepted));
    assert!(user.at("home/registry/cache").is_dir() && !Path::new("/home/registry").exists());
}

/// A local registry (The Cargo Book, "Local Registry Sources") has archives, but not in cargo's cache.
#[test]
fn a_local_registry_in_place_of_the_registry_is_named() {
    let honest = archive("// honest");
    let mirror = Registry::serve(honest.clone());
    let user = User::new(&mirror);
    let local = user.at("local");
    fs::create_dir_all(local.join("index/it/oa")).unwrap();
    let digest = Digest::of(&honest).hex();
    let entry = format!(
        "{{\"name\":\"{NAME}\",\"vers\":\"{VERSION}\",\"deps\":[],\"features\":{{}},\"yanked\":false,\"cksum\":\"{digest}\"}}\n"
    );
    fs::write(local.join("index/it/oa/itoa"), entry).unwrap();
    fs::write(local.join(format!("{NAME}-{VERSION}.crate")), &honest).unwrap();
    let config = format!(
        "[source.crates-io]\nreplace-with = \"local\"\n[source.local]\nlocal-registry = {local:?}\n"
    );
    fs::write(user.at("home/config.toml"), config).unwrap();
    let public = user.public.clone();
    user.release("itoa = \"1\"", &public, &honest);
    let refused = user.build();
    if is_impossible(
        &refused,
        "a_local_registry_in_place_of_the_registry_is_named",
    ) {
        return;
    }
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    for expected in [
        "builder: error: fetching crate itoa 1.0.19: cargo has no archive of it: it comes from ",
        "hint: let cargo fetch crates from a registry",
    ] {
        assert!(said(&refused).contains(expected), "{}", said(&refused));
    }
    assert!(!mirror.was_asked());
    assert_eq!(user.kept(), 0);
}

#[test]
fn a_vendored_folder_in_place_of_the_registry_is_named() {
    let honest = archive("// honest");
    let mirror = Registry::serve(honest.clone());
    let user = User::new(&mirror);
    let vendor = user.at("vendor").join(NAME);
    fs::create_dir_all(vendor.join("src")).unwrap();
    fs::write(vendor.join("src/lib.rs"), "").unwrap();
    let manifest = format!("[package]\nname = \"{NAME}\"\nversion = \"{VERSION}\"\n");
    fs::write(vendor.join("Cargo.toml"), manifest).unwrap();
    let checksum = format!(
        "{{\"files\":{{}},\"package\":\"{}\"}}",
        Digest::of(&honest).hex()
    );
    fs::write(vendor.join(".cargo-checksum.json"), checksum).unwrap();
    let config = format!(
        "[source.crates-io]\nreplace-with = \"vendored\"\n[source.vendored]\ndirectory = {:?}\n",
        user.at("vendor")
    );
    fs::write(user.at("home/config.toml"), config).unwrap();
    let public = user.public.clone();
    user.release("itoa = \"1\"", &public, &honest);
    let refused = user.build();
    if is_impossible(
        &refused,
        "a_vendored_folder_in_place_of_the_registry_is_named",
    ) {
        return;
    }
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    let reason = format!(
        "cargo has no archive of it: it comes from {}",
        vendor.display()
    );
    assert!(said(&refused).contains(&reason), "{}", said(&refused));
    assert!(
        said(&refused).contains("hint: let cargo fetch crates from a registry"),
        "{}",
        said(&refused)
    );
}
