//! Crates are only taken from the public registry, even if a source names another, or cargo's cache has other crates.
//! In these tests, the user's configuration of cargo replaces the public registry with a local server.
#![allow(clippy::unwrap_used, reason = "a test panics and says what it skips")]

mod another_registry;
mod replaced;
mod server;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use content::Digest;
use server::{Registry, archive};

const NAME: &str = "itoa";
const VERSION: &str = "1.0.19";

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
        said(&unchecked).contains("error: running cargo update: "),
        "{}",
        said(&unchecked)
    );
    assert_eq!(user.kept(), 0);
    user.configure(&mirror);
    let accepted = user.build();
    assert!(is_accepted(&accepted), "{}", said(&accepted));
    let fetched = "#3 fetch crates 1/1 ";
    assert!(said(&accepted).contains(fetched), "{}", said(&accepted));
    let downloaded = "Downloaded itoa v1.0.19";
    assert!(said(&accepted).contains(downloaded), "{}", said(&accepted));
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

#[test]
fn what_no_lock_names_is_removed_from_the_store() {
    let test = "what_no_lock_names_is_removed_from_the_store";
    let honest = archive("// honest");
    let mirror = Registry::serve(honest.clone());
    let user = User::new(&mirror);
    user.release("itoa = \"1\"", &user.public.clone(), &honest);
    let built = user.build();
    if is_impossible(&built, test) {
        return;
    }
    assert!(is_accepted(&built), "{}", said(&built));
    let other = user.at(&format!("store/crates/{0}-{0}", "a".repeat(64)));
    let prune = || {
        fs::write(&other, "of a project that is gone").unwrap();
        let mut prune = Command::new(env!("CARGO_BIN_EXE_builder"));
        prune.args(["store", "prune", "--unused", "--store", "store"]);
        prune.current_dir(user.folder.path()).output().unwrap()
    };
    let pruned = prune();
    assert!(pruned.status.success(), "{}", said(&pruned));
    assert!(said(&pruned).contains("source needs its inputs"));
    assert!(!other.exists());
    assert_eq!(user.kept(), 1);
    let lock = fs::read(user.at("source/Image.lock")).unwrap();
    fs::write(user.at("source/Image.lock"), "nonsense").unwrap();
    let refused = prune();
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).contains("Image.lock"), "{}", said(&refused));
    assert_eq!(user.kept(), 2);
    fs::write(user.at("source/Image.lock"), lock).unwrap();
    fs::rename(user.at("source"), user.at("away")).unwrap();
    assert!(prune().status.success());
    assert_eq!(user.kept(), 0);
}
